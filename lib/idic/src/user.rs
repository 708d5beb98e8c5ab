//! `authenticated`, `username` and `password` of a back end.

use tidemark_settings::{Mistakes, SecretSource, SectionReader, SettingValue, Value};

use crate::text::{Hidden, Name};

/// The user and the password, where the section is `authenticated`; without that both may be anything that the example has.
/// `None` where it has a mistake, which is noted.
pub(crate) fn user(section: &mut SectionReader<'_>) -> Option<Option<(String, SecretSource)>> {
    if section.optional::<bool>("authenticated")? != Some(true) {
        return Some(None);
    }
    let username = section.required::<Username>("username");
    let password = section.required::<Hidden>("password");
    let (Username(username), password) = username.zip(password)?;
    Some(Some((username, password.source)))
}

/// The name of a user, which goes before a colon (RFC 7617).
struct Username(String);

impl SettingValue for Username {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"NAME\"";

    fn read(value: &Value) -> Result<Username, Mistakes> {
        let Name(name) = Name::read(value)?;
        if name.contains(':') {
            let what = "holds a colon, which ends the name of a user";
            return Err(value.mistake(what, "write the name alone").into());
        }
        Ok(Username(name))
    }
}

//! `[[cluster]]`.

use std::path::PathBuf;

use tidemark_settings::{
    Key, Mistakes, Position, SecretSource, Section, SectionReader, SettingValue, UnknownKeys, Value, quoted,
};

use crate::key::key;
use crate::text::{Hidden, Name, Port};

/// A `[[cluster]]`.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Where the file has it.
    pub place: Position,
    /// The cluster's address: a name or an IP address, with a port where it is not 8080.
    pub hostname: String,
    /// The account.
    pub username: String,
    /// Its password.
    pub password: SecretSource,
    /// How the account is proved.
    pub authtype: AuthType,
    /// Whether the cluster's certificate is verified: where the file does not say, it is, unlike in gostats.
    pub verify_ssl: bool,
    /// Its certificate, or the authority's; a key of tidemark's own, which gostats passes over.
    pub ca_file: Option<PathBuf>,
    /// Whether nothing is collected from it.
    pub disabled: bool,
    /// The port on which Prometheus finds its values.
    pub prometheus_port: Option<u16>,
    /// Whether its name keeps its capital letters, where that is not as `[global]` says.
    pub preserve_case: Option<bool>,
    pub(crate) password_place: Position,
}

/// How an account is proved.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AuthType {
    /// `session`: the password once, then a cookie.
    Session,
    /// `basic-auth`: the password with each request.
    Basic,
}

impl AuthType {
    /// As the file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AuthType::Session => "session",
            AuthType::Basic => "basic-auth",
        }
    }
}

/// A `[[cluster]]` as it stands; none where it is disabled and not whole.
pub(crate) struct Draft(pub(crate) Option<Cluster>);

impl Section for Draft {
    const SUMMARY: &'static str = "A cluster.";
    const KEYS: &'static [Key] = &[
        key::<Hostname>("hostname"),
        key::<Name>("username"),
        key::<Hidden>("password"),
        key::<String>("authtype"),
        key::<bool>("verify-ssl"),
        key::<PathBuf>("ca_file"),
        key::<bool>("disabled"),
        key::<Port>("prometheus_port"),
        key::<bool>("preserve_case"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Draft> {
        let disabled = section.optional::<bool>("disabled");
        let (hostname, username, password) = if disabled == Some(Some(true)) {
            (
                not_empty(section, "hostname"),
                not_empty(section, "username"),
                not_empty(section, "password"),
            )
        } else {
            (
                section.required::<Hostname>("hostname").map(Some),
                section.required::<Name>("username").map(Some),
                section.required::<Hidden>("password").map(Some),
            )
        };
        let authtype = authtype(section);
        let verify_ssl = section.optional::<bool>("verify-ssl");
        let ca_file = section.optional::<PathBuf>("ca_file");
        let prometheus_port = section.optional::<Port>("prometheus_port");
        let preserve_case = section.optional::<bool>("preserve_case");
        let (hostname, username, password) = (hostname?, username?, password?);
        let (authtype, verify_ssl, disabled) = (authtype?, verify_ssl?, disabled?.unwrap_or(false));
        let (ca_file, prometheus_port, preserve_case) = (ca_file?, prometheus_port?, preserve_case?);
        let (Some(Hostname(hostname)), Some(Name(username)), Some(password)) = (hostname, username, password)
        else {
            let at = section.place().clone();
            section.notice(format!(
                "{at}: [[cluster]] is disabled and not whole: it is passed over"
            ));
            return Some(Draft(None));
        };
        if verify_ssl.is_none() && !disabled {
            let at = section.place().clone();
            section.notice(format!(
                "{at}: [[cluster]] {} has no `verify-ssl`: its certificate is verified, which gostats does not do then; \
                 write verify-ssl = true, or false where the cluster has none that can be",
                quoted(&hostname)
            ));
        }
        Some(Draft(Some(Cluster {
            place: section.place().clone(),
            hostname,
            username,
            password: password.source,
            authtype,
            verify_ssl: verify_ssl.unwrap_or(true),
            ca_file,
            disabled,
            prometheus_port: prometheus_port.map(|Port(port)| port),
            preserve_case,
            password_place: password.at,
        })))
    }
}

/// A key of a cluster that is disabled: an empty text counts as none.
fn not_empty<T: SettingValue>(section: &mut SectionReader<'_>, key: &str) -> Option<Option<T>> {
    match section.value(key).and_then(Value::as_str) {
        Some("") => Some(None),
        _ => section.optional::<T>(key),
    }
}

/// The authentication; one that is not known is the usual one.
fn authtype(section: &mut SectionReader<'_>) -> Option<AuthType> {
    let name = section.optional::<String>("authtype")?;
    match name.as_deref() {
        None | Some("" | "session") => {}
        Some("basic-auth") => return Some(AuthType::Basic),
        Some(other) => {
            let at = section.value("authtype").map_or(section.place(), Value::place);
            let notice = format!(
                "{at}: `authtype` is {}, which is not known: \"session\" is taken; write \"session\" or \"basic-auth\"",
                quoted(other)
            );
            section.notice(notice);
        }
    }
    Some(AuthType::Session)
}

/// The name of a host, or its address.
struct Hostname(String);

impl SettingValue for Hostname {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"cl1.example.com\"";

    fn read(value: &Value) -> Result<Hostname, Mistakes> {
        let Name(name) = Name::read(value)?;
        if name.contains(['/', '@', '?', '#', '\\']) || name.contains(char::is_whitespace) {
            let advice = "write the name of a host, like \"cl1.example.com\", instead";
            return Err(value.mistake("is no name of a host", advice).into());
        }
        Ok(Hostname(name))
    }
}

//! What the sinks that are servers have in common: an address, credentials, and how the server's certificate is
//! verified.

use std::net::IpAddr;

use url::{Host, Url};

use crate::mistake::Mistakes;
use crate::setting_value::url;
use crate::shared::Name;
use crate::value::Value;
use crate::{SectionReader, SettingValue};

/// What a sink that is a server gives away, where it is not careful.
pub(crate) struct Server<'a> {
    pub(super) url: &'a Url,
    pub(super) insecure_skip_verify: bool,
    /// What people call the secret that goes with each request.
    pub(super) secret: Option<&'static str>,
}

impl Server<'_> {
    /// What somebody should know about it.
    pub(crate) fn warnings(&self, name: &str) -> Vec<String> {
        let mut notices = Vec::new();
        if self.insecure_skip_verify {
            notices.push(format!(
                "the sink {name} does not verify the server's certificate (insecure_skip_verify): anybody on the way can \
                 read and change what is sent; name the certificate as ca_file instead"
            ));
        }
        if let Some(secret) = self.secret
            && self.url.scheme() == "http"
            && !is_loopback(self.url)
        {
            notices.push(format!(
                "the sink {name} sends its {secret} over plain http, which anybody on the way can read; use https instead"
            ));
        }
        notices
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Notes a password without a user. Whether there is none.
pub(super) fn password_has_username(section: &mut SectionReader<'_>) -> bool {
    let (Some(password), None) = (section.value("password"), section.value("username")) else {
        return true;
    };
    section.mistake(password.mistake(
        "`password` has no `username` beside it",
        "write username = \"NAME\" too",
    ));
    false
}

/// The name of a user, as it goes before the colon of `Basic` credentials (RFC 7617).
pub(super) struct Username(pub(super) String);

impl SettingValue for Username {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = Name::EXAMPLE;

    fn read(value: &Value) -> Result<Username, Mistakes> {
        let Name(name) = Name::read(value)?;
        if name.contains(':') {
            let advice = "write the name alone, and the rest as `password`";
            return Err(value
                .mistake("holds a colon, which ends the name of a user", advice)
                .into());
        }
        Ok(Username(name))
    }
}

/// The address of a server, to which a path is added.
pub(super) struct ServerUrl(pub(super) Url);

impl SettingValue for ServerUrl {
    const TYPE: &'static str = Url::TYPE;
    const EXAMPLE: &'static str = "\"https://influxdb.example.com:8086\"";

    fn read(value: &Value) -> Result<ServerUrl, Mistakes> {
        let url = url::<ServerUrl>(value)?;
        if url.query().is_some() || url.fragment().is_some() {
            let advice = "write the server's address alone, and the rest as keys of their own";
            return Err(value.mistake("has a part after ? or #", advice).into());
        }
        for ending in ["/write", "/api/v2"] {
            if url.path().trim_end_matches('/').ends_with(ending) {
                let what = format!("ends in {ending}");
                return Err(value
                    .mistake(what, "write the server's address alone instead")
                    .into());
            }
        }
        Ok(ServerUrl(url))
    }
}

/// The whole address that writes go to.
pub(super) struct WriteUrl(pub(super) Url);

impl SettingValue for WriteUrl {
    const TYPE: &'static str = Url::TYPE;
    const EXAMPLE: &'static str = "\"https://prometheus.example.com:9090/api/v1/write\"";

    fn read(value: &Value) -> Result<WriteUrl, Mistakes> {
        let url = url::<WriteUrl>(value)?;
        if url.fragment().is_some() {
            return Err(value.mistake("has a part after #", "remove that part").into());
        }
        if url.path() == "/" {
            let advice = format!("write the whole address of its writes, like {}", Self::EXAMPLE);
            return Err(value.mistake("is the address of a server alone", advice).into());
        }
        Ok(WriteUrl(url))
    }
}

//! `[influxdb]` and `[influxdbv2]`.

use std::path::PathBuf;

use tidemark_settings::{
    Influxdb2Settings, InfluxdbSettings, Key, Mistakes, Section, SectionReader, SettingValue, SinkKind,
    UnknownKeys, Url, Value,
};

use crate::key::key;
use crate::text::{Hidden, Name, Port};
use crate::user::user;

/// `[influxdb]`.
pub(crate) struct Influxdb(pub(crate) SinkKind);

impl Section for Influxdb {
    const SUMMARY: &'static str = "InfluxDB 1.";
    const KEYS: &'static [Key] = &[
        key::<Host>("host"),
        key::<Port>("port"),
        key::<Name>("database"),
        key::<bool>("authenticated"),
        key::<String>("username"),
        key::<String>("password"),
        key::<bool>("use_ssl"),
        key::<bool>("skip_ssl_verify"),
        key::<PathBuf>("ca_file"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Influxdb> {
        let server = Server::read(section);
        let database = section.required::<Name>("database");
        let user = user(section);
        let (server, database, user) = (server?, database?, user?);
        let (username, password) = user.unzip();
        Some(Influxdb(SinkKind::Influxdb(InfluxdbSettings {
            url: server.url,
            database: database.0,
            username,
            password,
            retention_policy: None,
            ca_file: server.ca_file,
            insecure_skip_verify: server.skip_verify,
        })))
    }
}

/// `[influxdbv2]`.
pub(crate) struct Influxdb2(pub(crate) SinkKind);

impl Section for Influxdb2 {
    const SUMMARY: &'static str = "InfluxDB 2.";
    const KEYS: &'static [Key] = &[
        key::<Host>("host"),
        key::<Port>("port"),
        key::<Name>("org"),
        key::<Name>("bucket"),
        key::<Hidden>("access_token"),
        key::<bool>("use_ssl"),
        key::<bool>("skip_ssl_verify"),
        key::<PathBuf>("ca_file"),
    ];
    const UNKNOWN: UnknownKeys = UnknownKeys::Notice;

    fn read(section: &mut SectionReader<'_>) -> Option<Influxdb2> {
        let server = Server::read(section);
        let org = section.required::<Name>("org");
        let bucket = section.required::<Name>("bucket");
        let token = section.required::<Hidden>("access_token");
        let (server, org, bucket, token) = (server?, org?, bucket?, token?);
        Some(Influxdb2(SinkKind::Influxdb2(Influxdb2Settings {
            url: server.url,
            org: org.0,
            bucket: bucket.0,
            token: token.source,
            ca_file: server.ca_file,
            insecure_skip_verify: server.skip_verify,
        })))
    }
}

/// What both have.
struct Server {
    url: Url,
    /// A key of tidemark's own, which gostats passes over.
    ca_file: Option<PathBuf>,
    skip_verify: bool,
}

impl Server {
    fn read(section: &mut SectionReader<'_>) -> Option<Server> {
        let host = section.required::<Host>("host");
        let port = section.required::<Port>("port");
        let use_ssl = section.optional::<bool>("use_ssl");
        let skip_verify = section.optional::<bool>("skip_ssl_verify");
        let ca_file = section.optional::<PathBuf>("ca_file");
        let (Host(mut url), Port(port)) = (host?, port?);
        if use_ssl?.unwrap_or(false) {
            url.set_scheme("https").ok()?;
        }
        url.set_port(Some(port)).ok()?;
        Some(Server {
            url,
            ca_file: ca_file?,
            skip_verify: skip_verify?.unwrap_or(false),
        })
    }
}

/// The name of a host or its address, as `http://HOST/`.
struct Host(Url);

impl SettingValue for Host {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"localhost\"";

    fn read(value: &Value) -> Result<Host, Mistakes> {
        let Name(name) = Name::read(value)?;
        let text = if name.contains(':') && !name.starts_with('[') {
            format!("http://[{name}]/")
        } else {
            format!("http://{name}/")
        };
        let is_bare = !name.contains(['/', '\\', '@', '?', '#']) && !name.contains(char::is_whitespace);
        let url = Url::parse(&text)
            .ok()
            .filter(|url| is_bare && url.path() == "/" && url.port().is_none());
        url.map(Host).ok_or_else(|| {
            let advice = "write the name alone, like \"localhost\", and the port as `port`, instead";
            value.mistake("is no name of a host", advice).into()
        })
    }
}

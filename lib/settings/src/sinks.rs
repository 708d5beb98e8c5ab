//! The sinks that are configured.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use url::{Host, Url};

use crate::mistake::{Mistake, Mistakes};
use crate::setting_value::url;
use crate::shared::Name;
use crate::suggestion::{listed, nearest, quoted};
use crate::tree::{Part, is_name, is_name_text};
use crate::value::Value;
use crate::{SecretSource, SectionReader, SettingValue};

/// A `[[sink]]`.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// Its name: its type where none is given; unique.
    pub name: String,
    /// Where not empty, the collectors whose batches it takes.
    pub only: Vec<String>,
    /// The collectors whose batches it does not take.
    pub except: Vec<String>,
    /// What kind it is, with what that kind needs.
    pub kind: SinkKind,
}

impl SinkSettings {
    /// The store: the sink where no other is configured.
    pub(crate) fn store() -> SinkSettings {
        SinkSettings {
            name: "store".to_owned(),
            only: Vec::new(),
            except: Vec::new(),
            kind: SinkKind::Store,
        }
    }

    /// Whether it takes the batches of this collector.
    #[must_use]
    pub fn takes(&self, collector: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == collector);
        (self.only.is_empty() || named(&self.only)) && !named(&self.except)
    }
}

/// The kinds of sink.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "a host has a handful of sinks")]
pub enum SinkKind {
    /// InfluxDB 1.x.
    Influxdb(InfluxdbSettings),
    /// The embedded store.
    Store,
    /// Nowhere: every batch is taken and forgotten.
    Discard,
}

impl SinkKind {
    /// The kind as `type` names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SinkKind::Influxdb(_) => "influxdb",
            SinkKind::Store => "store",
            SinkKind::Discard => "discard",
        }
    }
}

/// What a sink of type `influxdb` needs.
#[derive(Clone, Debug)]
pub struct InfluxdbSettings {
    /// The server's address: http or https, without a user, a query or a fragment.
    pub url: Url,
    /// The database.
    pub database: String,
    /// The user, where the server asks for one.
    pub username: Option<String>,
    /// The user's password; never without a user.
    pub password: Option<SecretSource>,
    /// The retention policy; the database's default where none is given.
    pub retention_policy: Option<String>,
    /// A certificate to accept, as an authority or as exactly the server's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate is not verified at all.
    pub insecure_skip_verify: bool,
}

/// The types, as `type` names them.
const TYPES: [&str; 3] = ["influxdb", "store", "discard"];
/// The keys of every sink.
const KEYS: [&str; 4] = ["name", "type", "only", "except"];
const INFLUXDB_KEYS: [&str; 7] = [
    "url",
    "database",
    "username",
    "password",
    "retention_policy",
    "ca_file",
    "insecure_skip_verify",
];

/// Reads the `[[sink]]`s; gives those that are right.
pub(crate) fn read(
    parts: &[Part],
    mistakes: &mut Vec<Mistake>,
    notices: &mut Vec<String>,
) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    let mut names = BTreeMap::new();
    let mut store = None;
    for part in parts {
        let mut section = SectionReader::new("[[sink]]".to_owned(), Some(&part.table), part.at.clone());
        let sink = one(&mut section);
        let known = match section.value("type").and_then(Value::as_str) {
            Some("influxdb") => Some([KEYS.as_slice(), INFLUXDB_KEYS.as_slice()].concat()),
            Some("store" | "discard") => Some(KEYS.to_vec()),
            // Nobody knows which keys are right.
            _ => None,
        };
        let (found, said) = section.finish(known.as_deref());
        mistakes.extend(found);
        notices.extend(said);

        // A name counts even where the rest of its sink is wrong.
        let given = part.table.get("name").or_else(|| part.table.get("type"));
        if let Some((name, entry)) = given.and_then(|entry| Some((entry.value.as_str()?, entry)))
            && let Some(first) = names.insert(name.to_owned(), part.at.clone())
        {
            let what = format!("the name {} is that of another sink, at", quoted(name));
            let advice = "write a name = \"…\" of its own in each";
            mistakes.push(Mistake::new(entry.value.at.clone(), what, advice).beside(first));
        }
        if part.table.get("type").and_then(|entry| entry.value.as_str()) == Some("store")
            && let Some(first) = store.replace(part.at.clone())
        {
            let what = "there is one store, and it is a sink already, at";
            mistakes.push(Mistake::new(part.at.clone(), what, "remove one of them").beside(first));
        }
        if let Some(sink) = sink {
            notices.extend(warnings(&sink));
            sinks.push(sink);
        }
    }
    sinks
}

fn one(section: &mut SectionReader<'_>) -> Option<SinkSettings> {
    let type_name = section.required::<Type>("type");
    let name = section.optional::<SinkName>("name");
    let only = section.optional::<Only>("only");
    let except = section.optional::<Vec<CollectorName>>("except");
    let kind = match type_name {
        Some(Type("influxdb")) => influxdb(section).map(SinkKind::Influxdb),
        Some(Type("store")) => Some(SinkKind::Store),
        Some(Type(_)) => Some(SinkKind::Discard),
        None => None,
    };
    let only = only?.map(|Only(names)| names).unwrap_or_default();
    let except: Vec<String> = except?
        .unwrap_or_default()
        .into_iter()
        .map(|CollectorName(name)| name)
        .collect();
    if let (Some(both), Some(value)) = (
        except.iter().find(|name| only.contains(name)),
        section.value("except"),
    ) {
        let what = format!("`except` names `{both}`, which `only` names too");
        section.mistake(value.mistake(what, "remove it from one of them"));
        return None;
    }
    Some(SinkSettings {
        name: name?.map_or_else(
            || type_name.map_or("", |Type(name)| name).to_owned(),
            |SinkName(name)| name,
        ),
        only,
        except,
        kind: kind?,
    })
}

fn influxdb(section: &mut SectionReader<'_>) -> Option<InfluxdbSettings> {
    let url = section.required::<ServerUrl>("url");
    let database = section.required::<Name>("database");
    let username = section.optional::<Name>("username");
    let password = section.optional::<SecretSource>("password");
    let retention_policy = section.optional::<Name>("retention_policy");
    let ca_file = section.optional::<PathBuf>("ca_file");
    let insecure_skip_verify = section.optional::<bool>("insecure_skip_verify");
    if let (Some(value), None) = (section.value("password"), section.value("username")) {
        section.mistake(value.mistake(
            "`password` has no `username` beside it",
            "write username = \"NAME\" too",
        ));
        return None;
    }
    Some(InfluxdbSettings {
        url: url?.0,
        database: database?.0,
        username: username?.map(|Name(name)| name),
        password: password?,
        retention_policy: retention_policy?.map(|Name(name)| name),
        ca_file: ca_file?,
        insecure_skip_verify: insecure_skip_verify?.unwrap_or(false),
    })
}

/// What somebody should know about a sink that is right.
fn warnings(sink: &SinkSettings) -> Vec<String> {
    let mut notices = Vec::new();
    let SinkKind::Influxdb(influxdb) = &sink.kind else {
        return notices;
    };
    let name = &sink.name;
    if influxdb.insecure_skip_verify {
        notices.push(format!(
            "the sink {name} does not verify the server's certificate (insecure_skip_verify): anybody on the way can \
             read and change what is sent; name the certificate as ca_file instead"
        ));
    }
    if influxdb.url.scheme() == "http" && influxdb.password.is_some() && !is_loopback(&influxdb.url) {
        notices.push(format!(
            "the sink {name} sends its password over plain http, which anybody on the way can read; use https instead"
        ));
    }
    notices
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[derive(Copy, Clone)]
struct Type(&'static str);

impl SettingValue for Type {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"influxdb\"";

    fn read(value: &Value) -> Result<Type, Mistakes> {
        let text = String::read(value)?;
        if let Some(known) = TYPES.into_iter().find(|known| *known == text) {
            return Ok(Type(known));
        }
        let what = format!("is {}, which is no type of sink", quoted(&text));
        let advice = match nearest(&text, &TYPES) {
            Some(near) => format!("write \"{near}\" instead (there are {})", listed(&TYPES)),
            None => format!("write one of {} instead", listed(&TYPES)),
        };
        Err(value.mistake(what, advice).into())
    }
}

struct SinkName(String);

impl SettingValue for SinkName {
    const TYPE: &'static str = String::TYPE;
    const EXAMPLE: &'static str = "\"main\"";

    fn read(value: &Value) -> Result<SinkName, Mistakes> {
        let text = String::read(value)?;
        if is_name_text(&text) {
            return Ok(SinkName(text));
        }
        let what = format!("is {}, which is no name of a sink", quoted(&text));
        Err(value
            .mistake(what, "write small letters, digits and - instead")
            .into())
    }
}

struct CollectorName(String);

impl SettingValue for CollectorName {
    const TYPE: &'static str = String::TYPE;
    const LIST_TYPE: &'static str = "list of collectors";
    const EXAMPLE: &'static str = "\"host\"";

    fn read(value: &Value) -> Result<CollectorName, Mistakes> {
        let text = String::read(value)?;
        if is_name(&text) {
            return Ok(CollectorName(text));
        }
        let what = format!("is {}, which is no name of a collector", quoted(&text));
        Err(value
            .mistake(
                what,
                "write small letters, digits and -, beginning with a letter, instead",
            )
            .into())
    }
}

/// The collectors of `only`: some.
struct Only(Vec<String>);

impl SettingValue for Only {
    const TYPE: &'static str = CollectorName::LIST_TYPE;
    const EXAMPLE: &'static str = "[\"host\"]";

    fn read(value: &Value) -> Result<Only, Mistakes> {
        let names = Vec::<CollectorName>::read(value)?;
        if names.is_empty() {
            return Err(value
                .mistake(
                    "is empty, so the sink would take nothing",
                    "name collectors, or remove it",
                )
                .into());
        }
        Ok(Only(names.into_iter().map(|CollectorName(name)| name).collect()))
    }
}

/// The address of a server, to which a path is added.
pub(crate) struct ServerUrl(pub(crate) Url);

impl SettingValue for ServerUrl {
    const TYPE: &'static str = Url::TYPE;
    const EXAMPLE: &'static str = "\"https://influxdb.example.com:8086\"";

    fn read(value: &Value) -> Result<ServerUrl, Mistakes> {
        let url = url::<ServerUrl>(value)?;
        if url.query().is_some() || url.fragment().is_some() {
            let advice = "write the server's address alone, and the rest as keys of their own";
            return Err(value.mistake("has a part after ? or #", advice).into());
        }
        if url.path().trim_end_matches('/').ends_with("/write") {
            return Err(value
                .mistake("ends in /write", "write the server's address alone instead")
                .into());
        }
        Ok(ServerUrl(url))
    }
}

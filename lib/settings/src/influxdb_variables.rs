//! The sink that five environment variables make, as the Python collectors have it.

use url::Url;

use crate::mistake::{Mistake, Position};
use crate::{Environment, InfluxdbSettings, SecretSource, SinkKind, SinkSettings};

/// All of them, or none.
const VARIABLES: [&str; 5] = [
    "INFLUXDB_HOSTNAME",
    "INFLUXDB_PORT",
    "INFLUXDB_USERNAME",
    "INFLUXDB_PASSWORD",
    "INFLUXDB_DATABASE",
];

/// Says that the variables do not count, where some are set beside configured sinks.
pub(crate) fn ignored(environment: &dyn Environment) -> Option<String> {
    let set: Vec<String> = set(environment).map(|name| format!("${name}")).collect();
    (!set.is_empty()).then(|| {
        format!(
            "{} set but not used, as [[sink]]s are configured",
            match set.as_slice() {
                [one] => format!("{one} is"),
                several => format!("{} are", several.join(", ")),
            }
        )
    })
}

/// The sink, where the variables make one; nothing where none is set.
pub(crate) fn sink(environment: &dyn Environment, mistakes: &mut Vec<Mistake>) -> Option<SinkSettings> {
    let set: Vec<&str> = set(environment).collect();
    let first = *set.first()?;
    if set.len() < VARIABLES.len() {
        let missing: Vec<String> = VARIABLES
            .iter()
            .filter(|name| !set.contains(name))
            .map(|name| format!("${name}"))
            .collect();
        let what = format!(
            "is set, but {} {} not",
            missing.join(", "),
            if missing.len() == 1 { "is" } else { "are" }
        );
        let advice = "set all five INFLUXDB_ variables, or none and write a [[sink]]";
        mistakes.push(Mistake::new(Position::of_variable(first), what, advice));
        return None;
    }
    // The password alone is left where it is: what uses it reads it.
    let mut text = |name: &'static str| {
        let value = environment.get(name).unwrap_or_default().into_string().ok();
        let value = value.filter(|text| !text.chars().any(char::is_control));
        if value.is_none() {
            let what = "is not UTF-8 text on one line";
            mistakes.push(Mistake::new(
                Position::of_variable(name),
                what,
                "set it to plain text instead",
            ));
        }
        value
    };
    let hostname = text("INFLUXDB_HOSTNAME");
    let port = text("INFLUXDB_PORT");
    let username = text("INFLUXDB_USERNAME");
    let database = text("INFLUXDB_DATABASE");
    let hostname = hostname.and_then(|hostname| {
        let url = server(&hostname);
        if url.is_none() {
            let at = Position::of_variable("INFLUXDB_HOSTNAME");
            mistakes.push(Mistake::new(
                at,
                "is no name of a host",
                "set it to a name like influxdb.example.com instead",
            ));
        }
        url
    });
    let port = port.and_then(|port| {
        let number = port.trim().parse::<u16>().ok().filter(|port| *port > 0);
        if number.is_none() {
            let at = Position::of_variable("INFLUXDB_PORT");
            mistakes.push(Mistake::new(
                at,
                "is no port",
                "set it to a number from 1 to 65535, such as 8086, instead",
            ));
        }
        number
    });
    let mut url = hostname?;
    url.set_port(Some(port?)).ok()?;
    Some(SinkSettings {
        name: "influxdb".to_owned(),
        only: Vec::new(),
        except: Vec::new(),
        kind: SinkKind::Influxdb(InfluxdbSettings {
            url,
            database: database?,
            username: Some(username?),
            password: Some(SecretSource::Environment("INFLUXDB_PASSWORD".to_owned())),
            retention_policy: None,
            ca_file: None,
            insecure_skip_verify: false,
        }),
    })
}

fn set(environment: &dyn Environment) -> impl Iterator<Item = &'static str> {
    VARIABLES
        .into_iter()
        .filter(|name| environment.get_nonempty(name).is_some())
}

/// The address of a host that is named without anything around the name; an IPv6 address needs no brackets.
fn server(hostname: &str) -> Option<Url> {
    let name = hostname.trim();
    let text = if name.contains(':') && !name.starts_with('[') {
        format!("https://[{name}]/")
    } else {
        format!("https://{name}/")
    };
    let url = Url::parse(&text).ok()?;
    let is_bare = url.path() == "/"
        && url.port().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !name.contains(['/', '\\', '@', '?', '#']);
    is_bare.then_some(url)
}

//! InfluxDB 1.x: `POST /write`.

use tidemark_point::line::Dialect;
use tidemark_settings::InfluxdbSettings;
use url::Url;

use super::line_protocol::headers;
use super::profile::{Login, Profile, Wire};
use crate::policy;

pub(super) fn profile(settings: &InfluxdbSettings) -> Profile<'_> {
    let mut target = format!("the database {}", settings.database);
    if let Some(policy) = &settings.retention_policy {
        target += &format!(", retention policy {policy},");
    }
    if let Some(username) = &settings.username {
        target += &format!(" as {username}");
    }
    Profile {
        name: "InfluxDB",
        target,
        wire: Wire::LineProtocol(Dialect::V1),
        policy: policy::influxdb,
        url: &settings.url,
        write: write_url(settings),
        headers: headers(),
        login: settings.username.as_deref().map_or(Login::None, Login::User),
        secret: settings.password.as_ref().map(|source| ("password", source)),
        ca_file: settings.ca_file.as_deref(),
        insecure_skip_verify: settings.insecure_skip_verify,
    }
}

fn write_url(settings: &InfluxdbSettings) -> Url {
    let mut write = settings.url.clone();
    let path = format!("{}/write", write.path().trim_end_matches('/'));
    write.set_path(&path);
    write
        .query_pairs_mut()
        .append_pair("db", &settings.database)
        .append_pair("precision", "ns");
    if let Some(policy) = &settings.retention_policy {
        write.query_pairs_mut().append_pair("rp", policy);
    }
    write
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_write() {
        let settings = InfluxdbSettings {
            url: "http://127.0.0.1:8086/influx/".parse().unwrap(),
            database: "d b".into(),
            username: None,
            password: None,
            retention_policy: Some("a".into()),
            ca_file: None,
            insecure_skip_verify: false,
        };
        assert_eq!(
            write_url(&settings).as_str(),
            "http://127.0.0.1:8086/influx/write?db=d+b&precision=ns&rp=a"
        );
    }
}

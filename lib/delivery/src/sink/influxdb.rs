//! InfluxDB 1.x: `POST /write`.

use tidemark_collect::http::{ClientOptions, HttpError};
use tidemark_settings::{InfluxdbSettings, Secret};
use url::Url;

use super::http::{Credentials, HttpEndpoint, Server};
use super::line_protocol::headers;

/// Where writes go, and as whom.
pub(super) fn endpoint(
    settings: &InfluxdbSettings,
    password: Option<&Secret>,
    http: &ClientOptions,
) -> Result<HttpEndpoint, HttpError> {
    let server = Server {
        write: write_url(settings),
        credentials: match &settings.username {
            Some(username) => Credentials::Basic { username, password },
            None => Credentials::None,
        },
        ca_file: settings.ca_file.as_deref(),
        insecure_skip_verify: settings.insecure_skip_verify,
        headers: headers(),
    };
    HttpEndpoint::new(server, http)
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

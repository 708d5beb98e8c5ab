//! InfluxDB 2.x: `POST /api/v2/write`.

use tidemark_point::line::Dialect;
use tidemark_settings::Influxdb2Settings;
use url::Url;

use super::line_protocol::headers;
use super::profile::{Login, Profile, Wire};
use crate::policy;

pub(super) fn profile(settings: &Influxdb2Settings) -> Profile<'_> {
    Profile {
        name: "InfluxDB 2",
        target: format!("the bucket {} of {}", settings.bucket, settings.org),
        wire: Wire::LineProtocol(Dialect::V2),
        policy: policy::influxdb2,
        url: &settings.url,
        write: write_url(settings),
        headers: headers(),
        login: Login::Token("Token"),
        secret: Some(("token", &settings.token)),
        ca_file: settings.ca_file.as_deref(),
        insecure_skip_verify: settings.insecure_skip_verify,
    }
}

fn write_url(settings: &Influxdb2Settings) -> Url {
    let mut write = settings.url.clone();
    let path = format!("{}/api/v2/write", write.path().trim_end_matches('/'));
    write.set_path(&path);
    write
        .query_pairs_mut()
        .append_pair("org", &settings.org)
        .append_pair("bucket", &settings.bucket)
        .append_pair("precision", "ns");
    write
}

#[cfg(test)]
mod tests {
    use tidemark_settings::SecretSource;

    use super::*;

    #[test]
    fn the_address_of_a_write() {
        let settings = Influxdb2Settings {
            url: "https://h:8086/influx/".parse().unwrap(),
            org: "o&p".into(),
            bucket: "b c/d".into(),
            token: SecretSource::Environment("T".into()),
            ca_file: None,
            insecure_skip_verify: false,
        };
        assert_eq!(
            write_url(&settings).as_str(),
            "https://h:8086/influx/api/v2/write?org=o%26p&bucket=b+c%2Fd&precision=ns"
        );
    }
}

//! Keys put into as few URLs as hold them.

use tidemark_collect::http::Url;
use url::form_urlencoded;

use crate::Address;

/// The longest URL in bytes that the API takes.
pub const MAX_URL: usize = 8198;

/// What is asked for, before the keys: degraded values too, of all nodes, with their logical numbers.
const CURRENT: &str = "/platform/1/statistics/current?degraded=true&devid=all&show_nodes=true";

/// One request for the current values of some keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatisticsRequest {
    url: Url,
    keys: usize,
}

impl StatisticsRequest {
    /// The address that it asks.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How many keys it asks for.
    pub fn keys(&self) -> usize {
        self.keys
    }
}

/// The requests for these keys, in their order. A key that is too long even alone has a request of its own, which the
/// cluster refuses.
pub(super) fn split<K: AsRef<str>>(address: &Address, keys: &[K]) -> Vec<StatisticsRequest> {
    let room = MAX_URL.saturating_sub(address.base().len() + CURRENT.len());
    let mut requests = Vec::new();
    let (mut query, mut count) = (String::new(), 0);
    let mut end = |query: &mut String, count: &mut usize| {
        if *count > 0 {
            let url = address.url(&format!("{CURRENT}{query}"));
            requests.push(StatisticsRequest { url, keys: *count });
            query.clear();
            *count = 0;
        }
    };
    for key in keys {
        let before = query.len();
        query.push_str("&key=");
        query.extend(form_urlencoded::byte_serialize(key.as_ref().as_bytes()));
        if query.len() > room && count > 0 {
            let last = query.split_off(before);
            end(&mut query, &mut count);
            query = last;
        }
        count += 1;
    }
    end(&mut query, &mut count);
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        "cl17.example".parse().unwrap()
    }

    fn keys_of(request: &StatisticsRequest) -> Vec<String> {
        let pairs = request.url().query_pairs();
        pairs
            .filter(|(name, _)| name == "key")
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    #[test]
    fn few_keys_are_one_request() {
        let requests = split(&address(), &["cluster.cpu.sys.avg", "ifs.bytes.used"]);
        let urls: Vec<&str> = requests.iter().map(|request| request.url().as_str()).collect();
        assert_eq!(
            urls,
            [
                "https://cl17.example:8080/platform/1/statistics/current?degraded=true&devid=all&show_nodes=true&key=cluster.cpu.sys.avg&key=ifs.bytes.used"
            ]
        );
        assert_eq!(requests[0].keys(), 2);
        assert_eq!(split::<&str>(&address(), &[]), []);
    }

    #[test]
    fn each_url_is_as_long_as_it_may_be_and_no_longer() {
        let keys: Vec<String> = (0..2000).map(|number| format!("node.made.up.{number}")).collect();
        let requests = split(&address(), &keys);
        let longest = requests.iter().map(|request| request.url().as_str().len()).max();
        assert!(longest <= Some(MAX_URL), "{longest:?}");
        for request in &requests[..requests.len() - 1] {
            let length = request.url().as_str().len();
            assert!(
                length > MAX_URL - 30,
                "one more key would fit into {length} bytes"
            );
        }
        let all: Vec<String> = requests.iter().flat_map(keys_of).collect();
        assert_eq!(all, keys);
        assert_eq!(requests.iter().map(StatisticsRequest::keys).sum::<usize>(), 2000);
    }

    #[test]
    fn the_bound_is_met_to_the_byte() {
        let room = MAX_URL - address().base().len() - CURRENT.len() - "&key=".len() - "&key=b".len();
        let fits = "a".repeat(room);
        let requests = split(&address(), &[fits.as_str(), "b"]);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].url().as_str().len(), MAX_URL);
        assert_eq!(split(&address(), &[format!("{fits}a").as_str(), "b"]).len(), 2);
    }

    #[test]
    fn odd_keys_stay_one_parameter_and_long_ones_stand_alone() {
        let odd = "a&key=b#c d/é";
        let requests = split(&address(), &[odd]);
        assert_eq!(keys_of(&requests[0]), [odd]);
        let long = "x".repeat(MAX_URL);
        let requests = split(&address(), &["a", &long, "b"]);
        let keys: Vec<usize> = requests.iter().map(StatisticsRequest::keys).collect();
        assert_eq!(keys, [1, 1, 1]);
    }
}

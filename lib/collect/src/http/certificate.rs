//! The few fields of an X.509 certificate that the TLS library does not hand out (RFC 5280, section 4.1), read from
//! its DER: the subject from the first bytes alone, for the look-up of authorities, and validity and common name of a
//! certificate that was named itself, which webpki refuses to check alone. Nothing is trusted because it could be read
//! here.

const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The explicit tag of the version.
const VERSION: u8 = 0xa0;
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Where a certificate comes from, whom it is for, and when.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fields<'a> {
    /// The issuer's name, without the outer header.
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Element<'a>,
    pub(super) not_after: Element<'a>,
    /// The subject's name, without the outer header.
    pub(super) subject: &'a [u8],
}

/// A DER element: its tag and what is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

/// The fields of a certificate; its first bytes suffice, as far as the subject. `None` where it is none, or where
/// more bytes are needed.
pub(super) fn fields(der: &[u8]) -> Option<Fields<'_>> {
    let certificate = enter(der)?;
    let mut rest = enter(certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = next(rest)?.1;
    }
    let (_serial, rest) = expect(rest, INTEGER)?;
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, _) = expect(rest, SEQUENCE)?;
    let (not_before, validity) = next(validity)?;
    let (not_after, _) = next(validity)?;
    Some(Fields {
        issuer,
        not_before,
        not_after,
        subject,
    })
}

/// A point in time of a certificate in seconds since the epoch: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
pub(super) fn unix_time(time: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(time.content).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (time.tag, text.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = text.split_at(2);
            let year: i32 = year.parse().ok()?;
            // RFC 5280, section 4.1.2.5.1.
            (if year >= 50 { 1900 + year } else { 2000 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = text.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u32>().ok();
    let date = chrono::NaiveDate::from_ymd_opt(year, part(0)?, part(2)?)?;
    Some(
        date.and_hms_opt(part(4)?, part(6)?, part(8)?)?
            .and_utc()
            .timestamp(),
    )
}

/// The common name in a subject, where it is text.
pub(super) fn common_name(mut subject: &[u8]) -> Option<&str> {
    while !subject.is_empty() {
        let (mut set, rest) = expect(subject, SET)?;
        while !set.is_empty() {
            let (pair, others) = expect(set, SEQUENCE)?;
            let (kind, value) = expect(pair, OBJECT_IDENTIFIER)?;
            if kind == COMMON_NAME {
                return std::str::from_utf8(next(value)?.0.content).ok();
            }
            set = others;
        }
        subject = rest;
    }
    None
}

/// What is in the sequence at the start, as far as there are bytes.
fn enter(der: &[u8]) -> Option<&[u8]> {
    let (tag, length, rest) = header(der)?;
    (tag == SEQUENCE).then(|| rest.get(..length).unwrap_or(rest))
}

/// What is in the element at the start, which must have this tag, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (element, rest) = next(der)?;
    (element.tag == tag).then_some((element.content, rest))
}

/// The element at the start and what follows it.
fn next(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, length, rest) = header(der)?;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { tag, content }, rest))
}

/// Tag, length, and what follows them. Lengths of up to four bytes.
fn header(der: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    if first < 0x80 {
        return Some((tag, usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(count)?;
    let length = bytes
        .iter()
        .fold(0_usize, |length, &byte| (length << 8) | usize::from(byte));
    Some((tag, length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tag: u8, text: &str) -> Option<i64> {
        unix_time(Element {
            tag,
            content: text.as_bytes(),
        })
    }

    #[test]
    fn times_of_both_forms() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(seconds(UTC_TIME, "500101000000Z"), Some(-631_152_000));
        assert_eq!(seconds(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(
            seconds(GENERALIZED_TIME, "99991231235959Z"),
            Some(253_402_300_799)
        );
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "Z",
            "700101000000",
            "7001010000Z",
            "701301000000Z",
            "70010100000éZ",
            "+70101000000Z",
        ] {
            assert_eq!(seconds(UTC_TIME, text), None, "{text}");
        }
        assert_eq!(seconds(INTEGER, "700101000000Z"), None);
    }

    #[test]
    fn a_certificate_that_is_cut_or_garbage_has_no_fields() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Some Name");
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let whole = fields(&der).unwrap();
        assert_eq!(whole.issuer, whole.subject);
        assert_eq!(common_name(whole.subject), Some("Some Name"));
        let mut needed = 0;
        for end in 0..der.len() {
            match fields(&der[..end]) {
                Some(found) => assert_eq!(found, whole),
                None => needed = end,
            }
        }
        assert!(needed < der.len() / 2, "the first bytes suffice");
        for at in 0..der.len() {
            let mut damaged = der.clone();
            damaged[at] ^= 0xff;
            let _ = fields(&damaged);
        }
    }
}

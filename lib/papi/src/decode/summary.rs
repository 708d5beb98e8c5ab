//! The answers of `statistics/summary`.

use std::borrow::Cow;

use tidemark_collect::{Point, Timestamp, Value};

use super::document::{Items, checked_text, read};
use super::number::{self, Whole};
use super::reader::{Kind, Read, Reader};
use super::{DecodeError, Decoded, MAX_PARTS, Naming, Warning};

/// Reads the answer of `statistics/summary/protocol`, and adds a point of `node.summary.protocol` for each item.
///
/// Tags: `cluster`, `node`, `class`, `operation`, `protocol`. What is there of these are the fields: `in`, `out` and `time`,
/// each also with `_avg`, `_max`, `_min` and `_standard_dev`, and `operation_rate`, floats; `operation_count` and `time`,
/// integers. The point's time is the item's `time`.
///
/// An item may be without any of them: a tag that is absent, null or empty is no tag, and a field that is null or of
/// another type is left out and counted. Other members are passed over.
///
/// # Errors
/// Where it is no such answer, or the cluster refuses. What was read before the mistake is in `out`.
pub fn protocol(body: &[u8], naming: &Naming<'_>, out: &mut Decoded) -> Result<(), DecodeError> {
    summary::<Protocol>(body, naming, out)
}

/// Reads the answer of `statistics/summary/client`, and adds a point of `node.summary.client` for each item.
///
/// Tags: `cluster`, `node`, `class`, `local_addr`, `local_name`, `protocol`, `remote_addr`, `remote_name`, and where the
/// item has a `user`, its members as `user_id`, `user_name` and `user_type`. Fields: `in`, `out` and `time`, each also with
/// `_avg`, `_max` and `_min`, and `operation_rate`, floats; `num_operations` and `time`, integers. For the rest see
/// [`protocol`].
///
/// # Errors
/// As of [`protocol`].
pub fn client(body: &[u8], naming: &Naming<'_>, out: &mut Decoded) -> Result<(), DecodeError> {
    summary::<Client>(body, naming, out)
}

/// Reads the answer of `statistics/summary/drive`, and adds a point of `node.summary.drive` for each item.
///
/// Tags: `cluster`, `drive_id`, `type`. Fields: `time`, an integer, and as floats `access_latency`, `access_slow`, `busy`,
/// `bytes_in`, `bytes_out`, `iosched_latency`, `iosched_queue`, `used_bytes_percent`, `used_inodes`, `xfer_size_in`,
/// `xfer_size_out`, `xfers_in`, `xfers_out`. For the rest see [`protocol`].
///
/// # Errors
/// As of [`protocol`].
pub fn drive(body: &[u8], naming: &Naming<'_>, out: &mut Decoded) -> Result<(), DecodeError> {
    summary::<Drive>(body, naming, out)
}

/// What a member of an item becomes.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Tag,
    /// A tag that is a number.
    Node,
    Float,
    Int,
    /// The field `time`, and the point's time.
    Time,
    /// An object whose members are tags of their own.
    User,
}

use Part::{Float, Int, Node, Tag, Time, User};

/// A summary's items.
trait Form {
    const NAME: &'static str;
    const FORM: &'static str;
    const MEASUREMENT: &'static str;
    /// The members in the order in which they mostly are.
    const MEMBERS: &'static [(&'static str, Part)];
}

struct Protocol;

impl Form for Protocol {
    const NAME: &'static str = "protocol";
    const FORM: &'static str = "an object with `protocol`";
    const MEASUREMENT: &'static str = "node.summary.protocol";
    const MEMBERS: &'static [(&'static str, Part)] = &[
        ("class", Tag),
        ("in", Float),
        ("in_avg", Float),
        ("in_max", Float),
        ("in_min", Float),
        ("in_standard_dev", Float),
        ("node", Node),
        ("operation", Tag),
        ("operation_count", Int),
        ("operation_rate", Float),
        ("out", Float),
        ("out_avg", Float),
        ("out_max", Float),
        ("out_min", Float),
        ("out_standard_dev", Float),
        ("protocol", Tag),
        ("time", Time),
        ("time_avg", Float),
        ("time_max", Float),
        ("time_min", Float),
        ("time_standard_dev", Float),
    ];
}

struct Client;

impl Form for Client {
    const NAME: &'static str = "client";
    const FORM: &'static str = "an object with `client`";
    const MEASUREMENT: &'static str = "node.summary.client";
    const MEMBERS: &'static [(&'static str, Part)] = &[
        ("class", Tag),
        ("in", Float),
        ("in_avg", Float),
        ("in_max", Float),
        ("in_min", Float),
        ("local_addr", Tag),
        ("local_name", Tag),
        ("node", Node),
        ("num_operations", Int),
        ("operation_rate", Float),
        ("out", Float),
        ("out_avg", Float),
        ("out_max", Float),
        ("out_min", Float),
        ("protocol", Tag),
        ("remote_addr", Tag),
        ("remote_name", Tag),
        ("time", Time),
        ("time_avg", Float),
        ("time_max", Float),
        ("time_min", Float),
        ("user", User),
    ];
}

/// The members of a client's user, and their tags.
const USER: [(&str, &str); 3] = [("id", "user_id"), ("name", "user_name"), ("type", "user_type")];

struct Drive;

impl Form for Drive {
    const NAME: &'static str = "drive";
    const FORM: &'static str = "an object with `drive`";
    const MEASUREMENT: &'static str = "node.summary.drive";
    const MEMBERS: &'static [(&'static str, Part)] = &[
        ("access_latency", Float),
        ("access_slow", Float),
        ("busy", Float),
        ("bytes_in", Float),
        ("bytes_out", Float),
        ("drive_id", Tag),
        ("iosched_latency", Float),
        ("iosched_queue", Float),
        ("time", Time),
        ("type", Tag),
        ("used_bytes_percent", Float),
        ("used_inodes", Float),
        ("xfer_size_in", Float),
        ("xfer_size_out", Float),
        ("xfers_in", Float),
        ("xfers_out", Float),
    ];
}

fn summary<F: Form>(body: &[u8], naming: &Naming<'_>, out: &mut Decoded) -> Result<(), DecodeError> {
    let text = checked_text(body, out);
    let mut items = Summary::<F> {
        naming,
        values: vec![Found::Nothing; F::MEMBERS.len()],
        user: [const { Cow::Borrowed("") }; 3],
        time: None,
        form: std::marker::PhantomData,
    };
    read(&text, &mut items, out)
}

/// The value of a member.
#[derive(Clone)]
enum Found<'a> {
    Nothing,
    Text(Cow<'a, str>),
    Float(f64),
    Int(i64),
}

struct Summary<'a, 'n, F> {
    naming: &'n Naming<'n>,
    /// One for each of the form's members.
    values: Vec<Found<'a>>,
    user: [Cow<'a, str>; 3],
    time: Option<Timestamp>,
    form: std::marker::PhantomData<F>,
}

impl<'a, F: Form> Items<'a> for Summary<'a, '_, F> {
    const MEMBER: &'static str = F::NAME;
    const FORM: &'static str = F::FORM;

    fn item(&mut self, reader: &mut Reader<'a>, out: &mut Decoded) -> Read<()> {
        self.values.fill(Found::Nothing);
        self.user = [const { Cow::Borrowed("") }; 3];
        self.time = None;
        let mut next = 0;
        let mut more = reader.open(Kind::Map)?;
        while more {
            let name = reader.name()?;
            let after = F::MEMBERS[next..].iter().chain(&F::MEMBERS[..next]);
            // Where the order is the usual one, the first is it.
            match after.enumerate().find(|(_, member)| member.0 == name) {
                None => reader.skip()?,
                Some((ahead, &(name, part))) => {
                    let index = (next + ahead) % F::MEMBERS.len();
                    self.values[index] = self.member(name, part, reader, out)?;
                    next = (index + 1) % F::MEMBERS.len();
                }
            }
            more = reader.more(Kind::Map)?;
        }
        self.point(out);
        Ok(())
    }
}

impl<'a, F: Form> Summary<'a, '_, F> {
    fn member(
        &mut self,
        name: &'static str,
        part: Part,
        reader: &mut Reader<'a>,
        out: &mut Decoded,
    ) -> Read<Found<'a>> {
        let kind = reader.kind()?;
        let is_tag = matches!(part, Tag | Node | User);
        let warning = match (part, kind) {
            (Tag, Kind::Text) => return Ok(Found::Text(reader.string()?)),
            (Tag, Kind::Number) => return Ok(Found::Text(Cow::Borrowed(reader.number()?.text))),
            (User, Kind::Map) => {
                self.user(reader, out)?;
                return Ok(Found::Nothing);
            }
            (Float, Kind::Number) => match reader.number()?.value {
                value if value.is_finite() => return Ok(Found::Float(value)),
                _ => Warning::OutOfRange,
            },
            (Int, Kind::Number) => match Whole::of(&reader.number()?) {
                Whole::Is(value) => return Ok(Found::Int(value)),
                _ => Warning::OutOfRange,
            },
            (Time, _) => {
                self.time = number::time(reader)?;
                return Ok(self
                    .time
                    .map_or(Found::Nothing, |time| Found::Int(time.nanos() / 1_000_000_000)));
            }
            (Node, Kind::Number | Kind::Text) => match Whole::read(reader)? {
                Whole::Is(node) => return Ok(Found::Text(Cow::Owned(node.to_string()))),
                _ => Warning::BadNode,
            },
            (_, Kind::Null) => {
                reader.word()?;
                if is_tag {
                    return Ok(Found::Nothing);
                }
                Warning::Null
            }
            _ => {
                reader.skip()?;
                Warning::WrongType
            }
        };
        out.warnings.add(warning, name);
        Ok(Found::Nothing)
    }

    fn user(&mut self, reader: &mut Reader<'a>, out: &mut Decoded) -> Read<()> {
        let mut more = reader.open(Kind::Map)?;
        while more {
            let name = reader.name()?;
            let index = USER.iter().position(|member| member.0 == name);
            match (index, reader.kind()?) {
                (Some(index), Kind::Text) => self.user[index] = reader.string()?,
                (Some(index), Kind::Number) => self.user[index] = Cow::Borrowed(reader.number()?.text),
                (index, kind) => {
                    reader.skip()?;
                    if let Some(index) = index
                        && kind != Kind::Null
                    {
                        out.warnings.add(Warning::WrongType, USER[index].1);
                    }
                }
            }
            more = reader.more(Kind::Map)?;
        }
        Ok(())
    }

    fn point(&self, out: &mut Decoded) {
        let mut builder = Point::builder(F::MEASUREMENT).tag("cluster", self.naming.cluster);
        out.parts += 1;
        let mut fields = 0;
        for ((name, _), value) in F::MEMBERS.iter().zip(&self.values) {
            let field = match value {
                Found::Nothing => continue,
                Found::Text(text) => {
                    if !text.is_empty() {
                        builder = builder.tag(name, text);
                    }
                    continue;
                }
                Found::Float(value) => Value::Float(*value),
                Found::Int(value) => Value::Int(*value),
            };
            builder = builder.field(name, field);
            // InfluxDB 1 stores no field called `time`: alone, it makes no point.
            fields += usize::from(*name != "time");
        }
        for ((_, tag), text) in USER.iter().zip(&self.user) {
            if !text.is_empty() {
                builder = builder.tag(tag, text);
            }
        }
        if fields == 0 {
            return out.warnings.add(Warning::NoNumber, F::NAME);
        }
        out.parts += fields;
        if out.parts > MAX_PARTS {
            return out.warnings.add(Warning::TooMany, F::NAME);
        }
        let time = self.time.unwrap_or_else(|| {
            out.warnings.add(Warning::NoTime, F::NAME);
            self.naming.now
        });
        let adjustments = out.points.adjustments_mut();
        let time_keys = adjustments.time_keys;
        let point = builder.time(time).build(adjustments);
        // It is in each item, and meant to be left out where it cannot be.
        adjustments.time_keys = time_keys;
        match point {
            Ok(point) => out.points.push_point(point),
            Err(_) => out.warnings.add(Warning::Refused, F::NAME),
        }
    }
}

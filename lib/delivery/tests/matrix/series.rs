//! Reads a body of remote write: Snappy's block format, and of protobuf what a write request has.

/// A series: its labels, and its samples as value and milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Series {
    labels: Vec<(String, String)>,
    pub(crate) samples: Vec<(f64, i64)>,
}

impl Series {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn name(&self) -> &str {
        self.label("__name__").expect("a series has a name")
    }
}

/// The series of a request.
pub(crate) fn read(body: &[u8]) -> Vec<Series> {
    let message = snap::raw::Decoder::new()
        .decompress_vec(body)
        .expect("a block of Snappy");
    members(&message)
        .filter(|(number, _)| *number == 1)
        .map(|(_, member)| series(member.bytes()))
        .collect()
}

fn series(message: &[u8]) -> Series {
    let mut series = Series::default();
    for (number, member) in members(message) {
        let mut pair = [const { Vec::new() }; 3];
        for (number, member) in members(member.bytes()) {
            pair[number as usize] = member.0.to_vec();
        }
        let [_, first, second] = pair;
        match number {
            1 => {
                let text = |bytes| String::from_utf8(bytes).expect("a label of UTF-8");
                series.labels.push((text(first), text(second)));
            }
            2 => {
                let mut value = [0; 8];
                value[..first.len()].copy_from_slice(&first);
                let (time, _) = varint(if second.is_empty() { &[0] } else { &second });
                series.samples.push((f64::from_le_bytes(value), time as i64));
            }
            other => panic!("a series has no member {other}"),
        }
    }
    series
}

/// A member of a message: the bytes of its value.
struct Member<'a>(&'a [u8]);

impl<'a> Member<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// The members of a message, each with its number.
fn members(mut rest: &[u8]) -> impl Iterator<Item = (u64, Member<'_>)> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (key, used) = varint(rest);
        rest = &rest[used..];
        let (skip, length) = match key & 7 {
            0 => (0, varint(rest).1),
            1 => (0, 8),
            2 => {
                let (length, used) = varint(rest);
                (used, length as usize)
            }
            other => panic!("wire type {other}"),
        };
        let value = &rest[skip..skip + length];
        rest = &rest[skip + length..];
        Some((key >> 3, Member(value)))
    })
}

/// A number of variable length, and how many bytes it took.
fn varint(bytes: &[u8]) -> (u64, usize) {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (number, place + 1);
        }
    }
    panic!("a number without its end")
}

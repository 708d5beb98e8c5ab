//! What each byte means in names and tag values: for those who write them and those who read them.

/// Ends a name, unless it is escaped: comma, space.
pub(crate) const COMMA_SPACE: u8 = 1;
/// Ends a tag key, tag value or field key, unless it is escaped; stands for itself in a measurement.
pub(crate) const EQUALS: u8 = 2;
/// Cannot be carried: white space but the space, and the byte that InfluxDB skips as such.
pub(crate) const BREAK: u8 = 4;
/// Can be carried in tag values alone: the other control characters.
pub(crate) const CONTROL: u8 = 8;
/// Can be carried, but not everywhere.
pub(crate) const BACKSLASH: u8 = 16;
/// A double quote: a byte like others, but for what InfluxDB makes of backslashes beside it.
pub(crate) const QUOTE: u8 = 32;

/// The one meaning of a byte; 0 where it has none.
pub(crate) fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = CONTROL;
        byte += 1;
    }
    classes[0x7f] = CONTROL;
    classes[b',' as usize] = COMMA_SPACE;
    classes[b' ' as usize] = COMMA_SPACE;
    classes[b'=' as usize] = EQUALS;
    classes[0] = BREAK;
    classes[b'\t' as usize] = BREAK;
    classes[b'\n' as usize] = BREAK;
    classes[0x0b] = BREAK;
    classes[0x0c] = BREAK;
    classes[b'\r' as usize] = BREAK;
    classes[b'\\' as usize] = BACKSLASH;
    classes[b'"' as usize] = QUOTE;
    classes
};

/// As long as a unit usually is at most, in bytes.
const USUAL: usize = 4096;

/// The text of a unit as it grows: sections of keys and values, which are escaped already.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new() -> Text {
        let mut text = Text(String::with_capacity(USUAL));
        text.add([
            "# Made by tidemark from a description and the settings: change those, or write a drop-in.\n",
        ]);
        text
    }

    pub(crate) fn section(&mut self, name: &str) {
        self.add(["\n[", name, "]\n"]);
    }

    pub(crate) fn key(&mut self, key: &str, value: &str) {
        self.add([key, "=", value, "\n"]);
    }

    fn add<const N: usize>(&mut self, parts: [&str; N]) {
        for part in parts {
            self.0.push_str(part);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

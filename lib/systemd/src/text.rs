/// The text of a unit as it grows: sections of keys and values, which are escaped already.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new() -> Text {
        Text(
            "# Made by tidemark from a description and the settings: change those, or write a drop-in.\n"
                .to_owned(),
        )
    }

    pub(crate) fn section(&mut self, name: &str) {
        self.0.push_str(&format!("\n[{name}]\n"));
    }

    pub(crate) fn key(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key}={value}\n"));
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

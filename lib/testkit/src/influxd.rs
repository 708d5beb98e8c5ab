//! A real InfluxDB 1 on a free port.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::http::{self, escape};
use crate::process::ServerProcess;

/// Who sets it up and asks, where it has users.
const ADMIN: (&str, &str) = ("admin", "the test's own");

/// What a server is to be.
#[derive(Clone, Debug)]
pub struct InfluxdOptions {
    /// How it is reached.
    pub tls: InfluxTls,
    /// A user with all rights on the database, and its password; without one, everybody may do everything.
    pub user: Option<(String, String)>,
    /// The database that is made.
    pub database: String,
    /// More lines of the `[http]` section: `max-body-size = 10000`.
    pub http: String,
    /// More lines of the `[data]` section: `max-values-per-tag = 100`.
    pub data: String,
}

/// How a server is reached.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum InfluxTls {
    /// Over plain HTTP.
    None,
    /// Over HTTPS, with a certificate of [`Certificates::authority`].
    Authority,
    /// Over HTTPS, with [`Certificates::self_signed`].
    SelfSigned,
}

impl Default for InfluxdOptions {
    fn default() -> Self {
        Self {
            tls: InfluxTls::None,
            user: None,
            database: "metrics".to_owned(),
            http: String::new(),
            data: String::new(),
        }
    }
}

impl InfluxdOptions {
    /// As a real one is: over HTTPS with a certificate of [`Certificates::authority`], and with that user, who has that
    /// password.
    pub fn https(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            tls: InfluxTls::Authority,
            user: Some((user.into(), password.into())),
            ..Self::default()
        }
    }
}

/// A running influxd with its data in a temporary folder. It is killed, and the folder goes, when it is dropped.
///
/// The process dies with the thread that started it, so that nothing is left of a test that was killed.
pub struct Influxd {
    // Before the folder: the process ends first.
    process: ServerProcess,
    folder: TempDir,
    options: InfluxdOptions,
    certificates: Option<Certificates>,
    port: u16,
}

/// One series of an answer: rows of values under the columns' names.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The measurement.
    pub name: String,
    /// The tags of a `GROUP BY`.
    pub tags: BTreeMap<String, String>,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// A value as the server wrote it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A bool.
    Bool(bool),
    /// A number's own text: every digit counts.
    Number(String),
    /// A string.
    Text(String),
}

impl Influxd {
    /// Starts one, and makes the database and the user.
    ///
    /// # Panics
    /// When influxd is not installed (the message names the package), or does not answer within two minutes.
    #[track_caller]
    pub fn start(options: InfluxdOptions) -> Self {
        let certificates = (options.tls != InfluxTls::None).then(Certificates::new);
        let folder = TempDir::with_prefix("tidemark-influxd-").expect("a temporary folder");
        let mut server = Self {
            process: ServerProcess::new("influxd", "influxdb", folder.path().join("log")),
            folder,
            options,
            certificates,
            port: 0,
        };
        let (folder, socket) = (server.folder.path(), server.path("socket"));
        server.port = server.process.start_somewhere(
            |port| arguments(folder, &server.options, server.certificates.as_ref(), port),
            |_| answers(&socket),
        );
        server.set_up();
        server
    }

    /// Starts it again, on the same port and data. Nothing where it runs.
    ///
    /// # Panics
    /// When it does not answer within two minutes.
    #[track_caller]
    pub fn restart(&mut self) {
        if self.process.runs() {
            return;
        }
        let socket = self.path("socket");
        // One that was killed leaves it.
        drop(fs::remove_file(&socket));
        let certificates = self.certificates.as_ref();
        let arguments = arguments(self.folder.path(), &self.options, certificates, self.port);
        self.process.restart(&arguments, self.port, || answers(&socket));
    }

    /// Ends it in good order (SIGTERM). Nothing where it does not run.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Kills it (SIGKILL). Nothing where it does not run.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Its address, at `localhost`, without a path.
    pub fn url(&self) -> String {
        let scheme = if self.options.tls == InfluxTls::None {
            "http"
        } else {
            "https"
        };
        format!("{scheme}://localhost:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database.
    pub fn database(&self) -> &str {
        &self.options.database
    }

    /// The user and the password.
    pub fn user(&self) -> Option<(&str, &str)> {
        self.options
            .user
            .as_ref()
            .map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// The certificate that a client names as `ca_file`: the authority's, or the self-signed one.
    ///
    /// # Panics
    /// When it has no TLS.
    pub fn ca_file(&self) -> &Path {
        match self.options.tls {
            InfluxTls::SelfSigned => &self.certificates().self_signed.certificate,
            _ => self.certificates().authority(),
        }
    }

    /// Everything that was made for its TLS.
    ///
    /// # Panics
    /// When it has no TLS.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("a server with TLS")
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The series of all statements, as the administrator, in the database; times in ns.
    ///
    /// # Panics
    /// When the server says that something is wrong.
    #[track_caller]
    pub fn query(&self, statements: &str) -> Vec<Series> {
        let target = format!("/query?epoch=ns&db={}", escape(&self.options.database));
        let body = format!("q={}", escape(statements));
        let socket = self.path("socket");
        let mut request = http::Request::post(&format!("http://localhost{target}"), body.as_bytes())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .socket(&socket);
        if self.options.user.is_some() {
            request = request.basic(ADMIN.0, ADMIN.1);
        }
        let answer = request.send().unwrap_or_else(|why| panic!("{statements}: {why}"));
        let text = answer.text();
        assert_eq!(answer.status, 200, "{statements}: {text}");
        read_series(text).unwrap_or_else(|why| panic!("{statements}: {why}: {text}"))
    }

    /// The types of a measurement's fields, by name: `float`, `integer`, `string`, `boolean`.
    #[track_caller]
    pub fn field_types(&self, measurement: &str) -> BTreeMap<String, String> {
        let series = self.query(&format!("SHOW FIELD KEYS FROM \"{measurement}\""));
        let rows = series.iter().flat_map(|series| &series.rows);
        rows.map(|row| (row[0].text().to_owned(), row[1].text().to_owned()))
            .collect()
    }

    /// How many points a measurement has that have that field.
    #[track_caller]
    pub fn count(&self, measurement: &str, field: &str) -> u64 {
        let series = self.query(&format!("SELECT COUNT(\"{field}\") FROM \"{measurement}\""));
        series
            .first()
            .map_or(0, |series| series.rows[0][1].number().parse().expect("a count"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn set_up(&self) {
        let database = &self.options.database;
        let Some((user, password)) = &self.options.user else {
            self.query(&format!("CREATE DATABASE \"{database}\""));
            return;
        };
        let (admin, its_password) = ADMIN;
        // Without an administrator anybody may make the first, and nothing else.
        self.query(&format!(
            "CREATE USER {admin} WITH PASSWORD {} WITH ALL PRIVILEGES",
            quote(its_password)
        ));
        let password = quote(password);
        self.query(&format!(
            "CREATE DATABASE \"{database}\"; CREATE USER \"{user}\" WITH PASSWORD {password}; \
             GRANT ALL ON \"{database}\" TO \"{user}\""
        ));
    }
}

impl Series {
    /// The values under that column's name.
    ///
    /// # Panics
    /// When there is no such column.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<&Cell> {
        let at = self.columns.iter().position(|column| column == name);
        let at = at.unwrap_or_else(|| panic!("no column {name:?} in {:?}", self.columns));
        self.rows.iter().map(|row| &row[at]).collect()
    }
}

impl Cell {
    /// A number's text.
    ///
    /// # Panics
    /// When it is no number.
    #[track_caller]
    pub fn number(&self) -> &str {
        let Self::Number(text) = self else {
            panic!("{self:?} is no number")
        };
        text
    }

    /// A string.
    ///
    /// # Panics
    /// When it is no string.
    #[track_caller]
    pub fn text(&self) -> &str {
        let Self::Text(text) = self else {
            panic!("{self:?} is no string")
        };
        text
    }
}

/// What starts it, with its settings written.
fn arguments(
    folder: &Path,
    options: &InfluxdOptions,
    certificates: Option<&Certificates>,
    port: u16,
) -> Vec<OsString> {
    let path = folder.join("influxdb.conf");
    fs::write(&path, settings(folder, options, certificates, port)).expect("a file in the temporary folder");
    ["run".into(), "-config".into(), path.into()].into()
}

/// The settings. Tests ask over a Unix socket: no TLS there, and no port.
fn settings(
    folder: &Path,
    options: &InfluxdOptions,
    certificates: Option<&Certificates>,
    port: u16,
) -> String {
    let folder = folder.display();
    let tls = certificates.map_or(String::new(), |certificates| {
        let identity = match options.tls {
            InfluxTls::SelfSigned => &certificates.self_signed,
            InfluxTls::Authority | InfluxTls::None => &certificates.leaf,
        };
        format!(
            "https-enabled = true\nhttps-certificate = \"{}\"\n",
            identity.both.display()
        )
    });
    let auth = options.user.is_some();
    let InfluxdOptions { http, data, .. } = options;
    format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n\
         [meta]\ndir = \"{folder}/meta\"\n\
         [data]\ndir = \"{folder}/data\"\nwal-dir = \"{folder}/wal\"\nquery-log-enabled = false\n{data}\n\
         [http]\nbind-address = \"127.0.0.1:{port}\"\nauth-enabled = {auth}\nlog-enabled = false\n\
         unix-socket-enabled = true\nbind-socket = \"{folder}/socket\"\n{tls}{http}\n\
         [monitor]\nstore-enabled = false\n[subscriber]\nenabled = false\n[continuous_queries]\nenabled = false\n"
    )
}

fn answers(socket: &Path) -> bool {
    let ping = http::Request::get("http://localhost/ping").socket(socket).send();
    ping.is_ok_and(|answer| answer.status == 204)
}

/// A string of the query language.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

type Raw<'a> = &'a RawValue;
type Object<'a> = BTreeMap<String, Raw<'a>>;

/// The series of an answer; the first error that it names.
fn read_series(text: &str) -> Result<Vec<Series>, String> {
    let answer: Object<'_> = parse(text)?;
    let mut all = Vec::new();
    for result in list(&answer, "results")? {
        let result: Object<'_> = parse(result.get())?;
        if let Some(error) = result.get("error") {
            return Err(error.get().to_owned());
        }
        for series in list(&result, "series")? {
            let series: Object<'_> = parse(series.get())?;
            let mut rows = Vec::new();
            for row in list(&series, "values")? {
                let cells: Vec<Raw<'_>> = parse(row.get())?;
                rows.push(cells.into_iter().map(read_cell).collect::<Result<_, _>>()?);
            }
            all.push(Series {
                name: series
                    .get("name")
                    .map_or(Ok(String::new()), |raw| parse(raw.get()))?,
                tags: series
                    .get("tags")
                    .map_or(Ok(BTreeMap::new()), |raw| parse(raw.get()))?,
                columns: series
                    .get("columns")
                    .map_or(Ok(Vec::new()), |raw| parse(raw.get()))?,
                rows,
            });
        }
    }
    Ok(all)
}

fn list<'a>(object: &Object<'a>, key: &str) -> Result<Vec<Raw<'a>>, String> {
    object.get(key).map_or(Ok(Vec::new()), |raw| parse(raw.get()))
}

fn read_cell(raw: Raw<'_>) -> Result<Cell, String> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'n') => Cell::Null,
        Some(b't' | b'f') => Cell::Bool(text == "true"),
        Some(b'"') => Cell::Text(parse(text)?),
        _ => Cell::Number(text.to_owned()),
    })
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests;

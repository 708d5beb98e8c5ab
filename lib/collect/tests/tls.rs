//! Whose certificates are accepted, and what is said of the others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use tidemark_collect::chain;
use tidemark_collect::http::{ClientOptions, Http, HttpErrorKind, Url, client};
use tidemark_testkit::{Answer, Certificates, Identity, Source};

/// Options with `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn system(file: Option<&Path>, dir: Option<&Path>) -> ClientOptions {
    let mut environment = BTreeMap::<String, OsString>::new();
    environment.extend(file.map(|file| ("SSL_CERT_FILE".to_owned(), file.into())));
    environment.extend(dir.map(|dir| ("SSL_CERT_DIR".to_owned(), dir.into())));
    ClientOptions::new(&environment)
}

fn named(path: &Path) -> ClientOptions {
    // Of the system nothing is trusted here.
    system(Some(Path::new("/nowhere")), None).ca_file(Some(path.to_owned()))
}

/// What a client says of a server with this certificate: the status, or the error after the address. The two ways say the
/// same, but for what time it is.
async fn meet(identity: &Identity, options: &ClientOptions) -> Result<u16, String> {
    let full = meet_by(identity, options.clone()).await;
    let lean = meet_by(identity, options.clone().many_servers()).await;
    let timeless = |said: &Result<u16, String>| {
        said.clone().map_err(|text| match text.split_once("(it is ") {
            Some((start, _)) => start.to_owned(),
            None => text,
        })
    };
    assert_eq!(timeless(&full), timeless(&lean));
    lean
}

async fn meet_by(identity: &Identity, options: ClientOptions) -> Result<u16, String> {
    let source = Source::https(identity);
    source.route("/", Answer::new(200));
    let url = Url::parse(&source.url("/")).unwrap();
    match Http::new(options).get(&url).without_redirects().response().await {
        Ok(answer) => Ok(answer.status()),
        Err(error) => {
            assert!(
                matches!(error.kind(), HttpErrorKind::Tls(_) | HttpErrorKind::Client(_)),
                "{error:?}"
            );
            let text = chain(&error);
            Err(text
                .strip_prefix(&format!("{url}: "))
                .map_or(text.clone(), str::to_owned))
        }
    }
}

/// A bundle: this many others before and after the one, as a distribution has it.
fn bundle(folder: &Path, one: &Path) -> PathBuf {
    let other = Certificates::new();
    let other = std::fs::read_to_string(other.authority()).unwrap();
    let text = format!(
        "# Some authorities\n\n{}{}{other}",
        other.repeat(70),
        std::fs::read_to_string(one).unwrap()
    );
    let path = folder.join("bundle.pem");
    std::fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    path
}

#[tokio::test]
async fn the_bundle_of_the_environment_is_trusted() {
    let certificates = Certificates::new();
    let options = system(Some(certificates.authority()), None);
    assert_eq!(meet(&certificates.leaf, &options).await, Ok(200));
    let options = system(
        Some(&bundle(certificates.folder(), certificates.authority())),
        None,
    );
    assert_eq!(meet(&certificates.leaf, &options).await, Ok(200));
}

#[tokio::test]
async fn the_folder_of_the_environment_is_trusted_too() {
    let certificates = Certificates::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(certificates.authority(), folder.path().join("0a1b2c3d.0")).unwrap();
    std::fs::write(
        folder.path().join("garbage.pem"),
        b"\xff\xfe-----BEGIN CERTIFICATE-----\n!",
    )
    .unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    assert_eq!(
        meet(&certificates.leaf, &system(None, Some(folder.path()))).await,
        Ok(200)
    );
    let other = Certificates::new();
    let both = system(Some(other.authority()), Some(folder.path()));
    assert_eq!(meet(&certificates.leaf, &both).await, Ok(200));
}

#[tokio::test]
async fn an_authority_that_is_not_trusted() {
    let certificates = Certificates::new();
    let expected = "the certificate of localhost comes from an authority that is not trusted here; name the \
                    authority's certificate, or the server's own, as ca_file";
    assert_eq!(
        meet(
            &certificates.stranger,
            &system(Some(certificates.authority()), None)
        )
        .await,
        Err(expected.to_owned())
    );
}

#[tokio::test]
async fn a_certificate_that_has_nothing_to_do_with_the_named_one() {
    let certificates = Certificates::new();
    let (authority, own) = (certificates.authority(), &certificates.self_signed.certificate);
    for (ca_file, met) in [
        (authority, &certificates.stranger),
        (authority, &certificates.self_signed),
        (own, &certificates.leaf),
    ] {
        let expected = format!(
            "the certificate of localhost neither is in ca_file {} nor comes from an authority there; if the server \
             has a new one, put that, or its authority's, into the file",
            ca_file.display()
        );
        assert_eq!(meet(met, &named(ca_file)).await, Err(expected));
    }
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let certificates = Certificates::new();
    let expected = "the certificate is not for localhost but for elsewhere.example; use a name that it is for, or \
                    give the server one for this name";
    for options in [
        system(Some(certificates.authority()), None),
        named(certificates.authority()),
    ] {
        assert_eq!(
            meet(&certificates.wrong_name, &options).await,
            Err(expected.to_owned())
        );
    }
    // Named itself, it is still for another.
    let own = named(&certificates.wrong_name.certificate);
    assert_eq!(
        meet(&certificates.wrong_name, &own).await,
        Err(expected.to_owned())
    );
}

#[tokio::test]
async fn a_certificate_that_has_expired() {
    let certificates = Certificates::new();
    let own = named(&certificates.expired.certificate);
    for options in [
        system(Some(certificates.authority()), None),
        named(certificates.authority()),
        own,
    ] {
        let text = meet(&certificates.expired, &options).await.unwrap_err();
        let start = "the certificate of localhost, or of an authority above it, expired at 2001-01-01T00:00:00Z (it is ";
        assert!(text.starts_with(start), "{text}");
        assert!(
            text.ends_with("Z here); renew it on the server, or set this host's clock"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_its_own_authority() {
    let certificates = Certificates::new();
    let own = &certificates.self_signed;
    assert_eq!(
        meet(own, &named(&own.certificate)).await,
        Ok(200),
        "named as ca_file"
    );
    let text = meet(own, &system(Some(certificates.authority()), None))
        .await
        .unwrap_err();
    assert!(
        text.ends_with("name this certificate as ca_file to accept it"),
        "{text}"
    );
}

#[tokio::test]
async fn a_ca_file_is_an_authority_or_the_servers_own() {
    let certificates = Certificates::new();
    assert_eq!(
        meet(&certificates.leaf, &named(certificates.authority())).await,
        Ok(200)
    );
    assert_eq!(
        meet(&certificates.leaf, &named(&certificates.leaf.certificate)).await,
        Ok(200)
    );
    // Key and certificate in one file, as influxd wants it.
    assert_eq!(
        meet(&certificates.leaf, &named(&certificates.leaf.both)).await,
        Ok(200)
    );
    // A leaf is nobody's authority, and the system's authorities do not count beside a ca_file.
    let options =
        system(Some(certificates.authority()), None).ca_file(Some(certificates.stranger.certificate.clone()));
    assert!(
        meet(&certificates.leaf, &options)
            .await
            .unwrap_err()
            .contains("neither is in ca_file")
    );
}

#[tokio::test]
async fn a_certificate_whose_name_is_in_its_subject_alone_may_be_named_itself() {
    let folder = tempfile::tempdir().unwrap();
    let identity = |name: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        let stem = folder.path().join(name);
        let [pem, key_pem] = ["crt", "key"].map(|extension| stem.with_extension(extension));
        std::fs::write(&pem, certificate.pem()).unwrap();
        std::fs::write(&key_pem, key.serialize_pem()).unwrap();
        Identity {
            certificate: pem.clone(),
            key: key_pem.clone(),
            both: pem,
        }
    };
    let own = identity("localhost");
    assert_eq!(meet(&own, &named(&own.certificate)).await, Ok(200));
    let other = identity("elsewhere");
    let text = meet(&other, &named(&other.certificate)).await.unwrap_err();
    assert!(
        text.starts_with("the certificate is not for localhost but for elsewhere;"),
        "{text}"
    );
}

#[tokio::test]
async fn insecure_skip_verify_believes_anyone() {
    let certificates = Certificates::new();
    let options = system(Some(Path::new("/nowhere")), None).insecure_skip_verify(true);
    let all = [
        &certificates.stranger,
        &certificates.wrong_name,
        &certificates.expired,
        &certificates.self_signed,
    ];
    for identity in all {
        assert_eq!(
            meet(identity, &options).await,
            Ok(200),
            "{}",
            identity.certificate.display()
        );
    }
}

#[tokio::test]
async fn files_that_are_no_certificates() {
    let certificates = Certificates::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let leaf = &certificates.leaf;
    let text = meet(leaf, &named(Path::new("/nowhere/ca.pem")))
        .await
        .unwrap_err();
    assert_eq!(
        text,
        "cannot read ca_file /nowhere/ca.pem: No such file or directory (os error 2)"
    );
    let empty = file("empty.pem", b"");
    let text = meet(leaf, &named(&empty)).await.unwrap_err();
    assert!(
        text.starts_with(&format!(
            "ca_file {} holds no certificate; it must be",
            empty.display()
        )),
        "{text}"
    );
    for (name, bytes) in [
        ("cut.pem", &b"-----BEGIN CERTIFICATE-----\nMIIB"[..]),
        (
            "not64.pem",
            b"-----BEGIN CERTIFICATE-----\n\xff\xff\n-----END CERTIFICATE-----\n",
        ),
        (
            "notder.pem",
            b"-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n",
        ),
    ] {
        let path = file(name, bytes);
        let text = meet(leaf, &named(&path)).await.unwrap_err();
        assert_eq!(
            text,
            format!(
                "certificate 1 in ca_file {} is damaged; copy it again, from `-----BEGIN CERTIFICATE-----` to `-----END \
                 CERTIFICATE-----`",
                path.display()
            )
        );
    }
    let text = meet(leaf, &system(Some(Path::new("/nowhere/b.pem")), None))
        .await
        .unwrap_err();
    assert_eq!(
        text,
        "cannot read the authorities in SSL_CERT_FILE /nowhere/b.pem (set it right, or unset it): No such file or \
         directory (os error 2)"
    );
    let text = meet(leaf, &system(Some(&empty), None)).await.unwrap_err();
    let expected = format!(
        "there are no certificates of authorities in {} (SSL_CERT_FILE, SSL_CERT_DIR)",
        empty.display()
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls() {
    let options = system(Some(Certificates::new().authority()), None);
    let ask = async |port: u16| {
        let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
        let mut said = Vec::new();
        for options in [options.clone(), options.clone().many_servers()] {
            let request = Http::new(options).get(&url).without_redirects();
            let error = request.bytes().await.unwrap_err();
            assert!(matches!(error.kind(), HttpErrorKind::Tls(_)), "{error:?}");
            said.push(chain(&error));
        }
        assert_eq!(said[0], said[1]);
        said.swap_remove(0)
    };
    // One that hangs up, and one that answers in its own way.
    let source = Source::http();
    let text = ask(source.port()).await;
    assert!(
        text.contains("the server closed the connection instead of speaking TLS; write http:// if"),
        "{text}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut connection, _) = listener.accept().unwrap();
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            // Until the client has read it and hung up.
            let _ = connection.read_to_end(&mut Vec::new());
        }
    });
    let text = ask(port).await;
    server.join().unwrap();
    assert!(text.contains("does not speak TLS"), "{text}");
    assert!(
        text.ends_with("write http:// if it is meant to be plain HTTP"),
        "{text}"
    );
}

#[tokio::test]
async fn a_sinks_client_has_the_same_tls_and_follows_nothing() {
    let certificates = Certificates::new();
    let source = Source::https(&certificates.leaf);
    source.route("/write", Answer::redirect(&source.url("/elsewhere")));
    let client = client(&named(certificates.authority())).unwrap();
    let answer = client.post(source.url("/write")).body("x").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 302);
    assert_eq!(source.requests().len(), 1);
}

#[tokio::test]
async fn a_chain_ends_at_an_authority_over_others_that_the_server_sends() {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    let folder = tempfile::tempdir().unwrap();
    let params = |name: &str, names: Vec<String>, is_ca| {
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = is_ca;
        params
    };
    let authority = |name| params(name, Vec::new(), IsCa::Ca(BasicConstraints::Unconstrained));
    let keys: [KeyPair; 3] = std::array::from_fn(|_| KeyPair::generate().unwrap());
    let root = authority("root").self_signed(&keys[0]).unwrap();
    let middle = authority("middle")
        .signed_by(&keys[1], &Issuer::new(authority("root"), &keys[0]))
        .unwrap();
    let leaf = params("leaf", vec!["localhost".to_owned()], IsCa::ExplicitNoCa)
        .signed_by(&keys[2], &Issuer::new(authority("middle"), &keys[1]))
        .unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = file("chain.pem", leaf.pem() + &middle.pem());
    let key = file("key.pem", keys[2].serialize_pem());
    let identity = Identity {
        certificate: certificate.clone(),
        key,
        both: certificate,
    };
    let root = file("root.pem", root.pem());
    assert_eq!(meet(&identity, &system(Some(&root), None)).await, Ok(200));
    assert_eq!(meet(&identity, &named(&root)).await, Ok(200));
    let middle = file("middle.pem", middle.pem());
    assert_eq!(
        meet(&identity, &system(Some(&middle), None)).await,
        Ok(200),
        "the middle one alone is trusted"
    );
}

#[tokio::test]
async fn an_error_after_a_redirect_names_both_addresses() {
    let certificates = Certificates::new();
    let secure = Source::https(&certificates.stranger);
    let source = Source::http();
    source.route("/page", Answer::redirect(&secure.url("/login?token=hunter2")));
    let url = Url::parse(&source.url("/page")).unwrap();
    let error = Http::new(named(certificates.authority()))
        .get(&url)
        .text()
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), HttpErrorKind::Tls(_)), "{error:?}");
    let start = format!(
        "{url} (redirected to {}?token=…): the certificate of localhost",
        secure.url("/login")
    );
    assert!(error.to_string().starts_with(&start), "{error}");
}

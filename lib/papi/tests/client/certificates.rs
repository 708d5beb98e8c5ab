//! TLS: whom a client believes, and a certificate that changes.

use tidemark_papi::{AuthType, Trouble};
use tidemark_testkit::Certificates;
use tidemark_testkit::onefs::OneFs;

use crate::setup::{Setup, options, run, trusting};

#[test]
fn certificates_are_checked_unless_it_is_said_otherwise() {
    let certificates = Certificates::new();
    let authority = certificates.authority();
    for (identity, expected) in [
        (&certificates.leaf, None),
        (&certificates.stranger, Some("nor comes from an authority there")),
        (&certificates.expired, Some("expired at")),
        (
            &certificates.wrong_name,
            Some("the certificate is not for localhost"),
        ),
        (&certificates.self_signed, Some("neither is in ca_file")),
    ] {
        let https = || OneFs::https(identity, "Cl17", 3);
        let setup = Setup::of(https(), AuthType::Session, trusting(authority));
        match (run(setup.cluster.config()), expected) {
            (Ok(config), None) => assert_eq!(config.name, "Cl17"),
            (Err(error), Some(expected)) => {
                let text = error.to_string();
                assert!(text.contains(expected), "{text}");
                assert_eq!(error.trouble(), Some(Trouble::Certificate));
                assert_eq!(setup.onefs.counts().requests, 0, "nothing was sent");
            }
            (outcome, expected) => panic!("{outcome:?} is not {expected:?}"),
        }
        let setup = Setup::of(https(), AuthType::Session, options().insecure_skip_verify(true));
        assert_eq!(run(setup.cluster.config()).unwrap().name, "Cl17");
    }
    // Its own, by name.
    let itself = trusting(&certificates.self_signed.certificate);
    let setup = Setup::of(
        OneFs::https(&certificates.self_signed, "Cl17", 3),
        AuthType::Basic,
        itself,
    );
    run(setup.cluster.config()).unwrap();
}

#[test]
fn a_certificate_that_changes_is_noticed_and_rests() {
    let certificates = Certificates::new();
    let setup = Setup::of(
        OneFs::https(&certificates.leaf, "Cl17", 3),
        AuthType::Session,
        trusting(certificates.authority()),
    );
    run(async {
        setup.cluster.config().await.unwrap();
        setup.onefs.present(&certificates.stranger);
        let error = setup.cluster.config().await.unwrap_err();
        assert_eq!(error.trouble(), Some(Trouble::Certificate), "{error}");
        assert!(setup.cluster.config().await.unwrap_err().is_resting());
        setup.rest();
        assert!(!setup.cluster.config().await.unwrap_err().is_resting());
        setup.onefs.present(&certificates.leaf);
        setup.rest();
        setup.cluster.config().await.unwrap();
    });
    assert_eq!(setup.onefs.counts().logins, 1, "the session outlives it");
}

#[test]
fn plain_http_where_tls_is_due_says_so() {
    let plain = OneFs::http("Cl17", 1);
    let address = format!("localhost:{}", plain.port());
    let setup = Setup::new();
    let cluster = crate::setup::cluster(
        &address,
        AuthType::Session,
        tidemark_collect::http::Http::new(options()),
        setup.clock.clone(),
    );
    let error = run(cluster.config()).unwrap_err();
    assert_eq!(error.trouble(), Some(Trouble::Certificate), "{error}");
}

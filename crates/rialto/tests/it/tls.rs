//! A realm served over TLS with a certificate of its own, and what happens to those who do not fit.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::cli::{Done, Place};

fn certificate(place: &Place, name: &str) -> bool {
    rialto_testing::certificate(&place.path(""), name)
}

#[test]
fn a_private_certificate_is_trusted_when_it_is_named() {
    let place = Place::new();
    if !certificate(&place, "own") || !certificate(&place, "other") {
        return;
    }
    let server = place.serve_with(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        "rialto-data",
        "--tls-cert",
        "own.pem",
        "--tls-key",
        "own.key",
    ]);
    let address = server.url.strip_prefix("https://").unwrap().to_owned();
    let ask = |url: &str, more: &[&str]| -> Done {
        place.run(&[&["log", "digest", "--json", "--server", url][..], more].concat())
    };
    let trusted = ask(&server.url, &["--ca", "own.pem"]);
    assert!(trusted.out.contains("\"digest\": \"b3:"), "{}", trusted.err);
    // A whole conversation, not only a handshake.
    let signed = place.run(&[
        "owner",
        "sign-up",
        "acme",
        "--save",
        "acme.token",
        "--server",
        &server.url,
        "--ca",
        "own.pem",
    ]);
    assert_eq!(signed.code, 0, "{}", signed.err);
    for (more, hint) in [
        (&[][..], "--ca FILE"),
        (&["--ca", "other.pem"][..], "--ca FILE"),
    ] {
        let refused = ask(&server.url, more);
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(
            refused.err.contains("RLT0909") && refused.err.contains(hint),
            "{}",
            refused.err
        );
    }
    let plain = ask(&format!("http://{address}"), &[]);
    assert_eq!(plain.code, 3, "{}", plain.err);
    assert!(plain.err.contains("https://"), "{}", plain.err);
    // Plain bytes get no HTTP answer, and the server goes on.
    let mut stream = TcpStream::connect(&address).unwrap();
    stream
        .write_all(b"GET /api/realm HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // The server may reset the connection once it has said what it thinks of it.
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(ask(&server.url, &["--ca", "own.pem"]).code, 0);
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let place = Place::new();
    if !certificate(&place, "own") || !certificate(&place, "other") {
        return;
    }
    std::fs::write(place.path("text.pem"), "no certificate\n").unwrap();
    for (cert, key, told) in [
        ("none.pem", "own.key", "cannot use none.pem: No such file"),
        (
            "text.pem",
            "own.key",
            "cannot use text.pem: it holds no certificate in PEM form",
        ),
        (
            "own.key",
            "own.key",
            "cannot use own.key: it holds no certificate in PEM form",
        ),
        (
            "own.pem",
            "text.pem",
            "cannot use text.pem: it holds no private key in PEM form",
        ),
        (
            "own.pem",
            "other.key",
            "cannot use other.key: it is not the key of the certificate in own.pem",
        ),
    ] {
        let done = place.run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "fresh",
            "--tls-cert",
            cert,
            "--tls-key",
            key,
        ]);
        assert_eq!(done.code, 2, "{}", done.err);
        assert!(done.err.contains(told), "{} should say {told}", done.err);
        assert!(
            !place.path("fresh").exists(),
            "nothing is founded by the way"
        );
    }
    let alone = place.run(&["serve", "--data", "fresh", "--tls-cert", "own.pem"]);
    assert_eq!(alone.code, 2, "a certificate needs its key");
    let untrusted = place.run(&[
        "log",
        "digest",
        "--server",
        "https://127.0.0.1:1",
        "--ca",
        "text.pem",
    ]);
    assert!(
        untrusted.code == 2 && untrusted.err.contains("text.pem: it holds none"),
        "{}",
        untrusted.err
    );
}

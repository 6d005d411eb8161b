//! Signatures of AWS's published test suite for Signature Version 4 ("aws-sig-v4-test-suite"; key, secret
//! and time are the suite's, the values were computed again with botocore 1.43), and one that
//! boto3 makes for a model whose id holds a colon.

use rialto_wire::bedrock::sigv4::{Refusal, Signed, derive_secret, verify};

const NOW: u64 = 1_440_938_160;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: (&str, &str) = ("Host", "example.amazonaws.com");
const DATE: (&str, &str) = ("X-Amz-Date", "20150830T123600Z");

fn secret(key: &str) -> Option<String> {
    (key == "AKIDEXAMPLE").then(|| SECRET.to_owned())
}

fn authorization(service: &str, signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, SignedHeaders={signed}, Signature={signature}"
    )
}

#[test]
fn the_suites_signatures_hold() {
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let my = |v| ("My-Header1", v);
    let plain = "host;x-amz-date";
    type Row<'a> = (
        &'a str,
        &'a str,
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a [u8],
        &'a str,
        &'a str,
    );
    let rows: &[Row<'_>] = &[
        (
            "GET",
            "/",
            "",
            &[],
            b"",
            plain,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "/",
            "Param2=value2&Param1=value1",
            &[],
            b"",
            plain,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/ሴ",
            "",
            &[],
            b"",
            plain,
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "GET",
            "/%E1%88%B4",
            "",
            &[],
            b"",
            plain,
            "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d",
        ),
        (
            "GET",
            "/",
            "",
            &[my("value2"), my("value2"), my("value1")],
            b"",
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "POST",
            "/",
            "",
            &[],
            b"",
            plain,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "POST",
            "/",
            "",
            &[form],
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        // Resolved before it is signed.
        (
            "GET",
            "/example/..",
            "",
            &[],
            b"",
            plain,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "//",
            "",
            &[],
            b"",
            plain,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
    ];
    for (method, path, query, more, body, signed, signature) in rows {
        let authorization = authorization("service", signed, signature);
        let mut headers = vec![HOST, DATE, ("authorization", authorization.as_str())];
        headers.extend(*more);
        let request = Signed {
            method,
            path,
            query,
            headers: &headers,
            body,
        };
        let held = verify(&request, "service", NOW, secret);
        assert_eq!(
            held.as_deref(),
            Ok("AKIDEXAMPLE"),
            "{method} {path}?{query}"
        );
        let changed = Signed {
            body: b"other",
            ..request
        };
        assert_eq!(
            verify(&changed, "service", NOW, secret),
            Err(Refusal::Signature),
            "{path}"
        );
    }
}

const CONVERSE: &str = "/bedrock/model/anthropic.claude-v2%3A1/converse";

fn converse(
    now: u64,
    path: &str,
    extra: &[(&str, &str)],
    known: impl FnOnce(&str) -> Option<String>,
) -> Result<String, Refusal> {
    let signature = "76d305767404b8d14b42e0f9757d49f176b877e98024397a073ac64fdff0984c";
    let authorization = authorization("bedrock", "content-type;host;x-amz-date", signature);
    let mut headers = vec![
        ("host", "127.0.0.1:8080"),
        ("content-type", "application/json"),
        ("x-amz-date", DATE.1),
        ("authorization", authorization.as_str()),
    ];
    headers.extend(extra);
    let request = Signed {
        method: "POST",
        path,
        query: "",
        headers: &headers,
        body: b"{\"messages\":[]}",
    };
    verify(&request, "bedrock", now, known)
}

#[test]
fn botos_signature_of_an_id_with_a_colon_holds() {
    assert_eq!(
        converse(NOW, CONVERSE, &[], secret).as_deref(),
        Ok("AKIDEXAMPLE")
    );
    assert_eq!(
        converse(NOW + 300, CONVERSE, &[], secret).as_deref(),
        Ok("AKIDEXAMPLE")
    );
    // What its signature does not cover may be added on the way, but for x-amz- headers.
    let via = [("x-forwarded-for", "10.0.0.1")];
    assert_eq!(
        converse(NOW, CONVERSE, &via, secret).as_deref(),
        Ok("AKIDEXAMPLE")
    );
}

#[test]
fn whatever_is_not_right_is_refused() {
    let empty = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let token = [("x-amz-security-token", "t")];
    for (told, want) in [
        (converse(NOW + 301, CONVERSE, &[], secret), Refusal::Skew),
        (converse(NOW - 301, CONVERSE, &[], secret), Refusal::Skew),
        (
            converse(NOW, "/bedrock/model/other/converse", &[], secret),
            Refusal::Signature,
        ),
        (converse(NOW, CONVERSE, &[], |_| None), Refusal::Signature),
        (
            converse(NOW, CONVERSE, &[], |_| Some(String::new())),
            Refusal::Signature,
        ),
        (converse(NOW, CONVERSE, &token, secret), Refusal::Unsigned),
        (converse(NOW, CONVERSE, &empty, secret), Refusal::Unsigned),
    ] {
        assert_eq!(told, Err(want));
    }
    let signed = Signed {
        method: "GET",
        path: "/",
        query: "",
        headers: &[HOST, DATE],
        body: b"",
    };
    let good = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    for (header, want) in [
        (
            authorization("service", "host;x-amz-date", good),
            Refusal::Service,
        ),
        (
            authorization("bedrock", "x-amz-date", good),
            Refusal::Unsigned,
        ),
        (authorization("bedrock", "host", good), Refusal::Unsigned),
        (
            authorization("bedrock", "host;x-amz-date", "zz"),
            Refusal::Malformed,
        ),
        ("Bearer x".to_owned(), Refusal::Malformed),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c".to_owned(),
            Refusal::Malformed,
        ),
    ] {
        let headers = [HOST, DATE, ("Authorization", header.as_str())];
        let request = Signed {
            headers: &headers,
            ..signed
        };
        assert_eq!(
            verify(&request, "bedrock", NOW, secret),
            Err(want),
            "{header}"
        );
    }
}

#[test]
fn secrets_differ_by_realm_and_by_key() {
    let secret = derive_secret(&[1; 32], "AKIA1");
    assert_eq!(secret.len(), 64);
    assert_ne!(secret, derive_secret(&[1; 32], "AKIA2"));
    assert_ne!(secret, derive_secret(&[2; 32], "AKIA1"));
}

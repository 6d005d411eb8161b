//! The console as a browser meets it, and as somebody meets it who is none.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use rialto_core::time::DAY_MS;
use serde_json::json;
use tower::ServiceExt;

use crate::door::{Realm, agreed};

const HOST: &str = "rialto.example";

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let before = format!("name=\"{name}\" value=\"");
        let after = self.text.split(&before).nth(1);
        let value = after.and_then(|rest| rest.split('"').next());
        value.unwrap_or_default().to_owned()
    }
}

/// Sends what a browser would send.
async fn send(
    realm: &Realm,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    form: &str,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
        .header("accept", "text/html,application/xhtml+xml")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(form.to_owned())).unwrap();
    let response = realm.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 16 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

pub(crate) async fn get(realm: &Realm, cookie: &str, path: &str) -> Answer {
    send(realm, Method::GET, path, &[("cookie", cookie)], "").await
}

const OWN: (&str, &str) = ("origin", "http://rialto.example");

pub(crate) async fn post(realm: &Realm, cookie: &str, path: &str, form: &str) -> Answer {
    send(realm, Method::POST, path, &[("cookie", cookie), OWN], form).await
}

/// Signs in and returns the cookie.
pub(crate) async fn sign_in(realm: &Realm, token: &str) -> String {
    let answer = post(realm, "", "/sign-in", &format!("token={token}")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let cookie = answer.header("set-cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_carries_the_policy_and_no_inline_code() {
    let realm = Realm::new().await;
    let cookie = sign_in(&realm, &realm.operator).await;
    for path in ["/", "/accounts", "/agents", "/log", "/nowhere", "/sign-in"] {
        let answer = get(&realm, &cookie, path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';"),
            "{path}: {policy}"
        );
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        for inline in ["<style", " style=", "<script>", " onclick=", "javascript:"] {
            assert!(!answer.text.contains(inline), "{path} has {inline}");
        }
    }
    let page = get(&realm, &cookie, "/").await;
    assert_eq!(page.header("cache-control"), "no-store");
    let asset = get(&realm, "", "/assets/console.css").await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(asset.header("cache-control").contains("immutable"));
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_there_is_only_the_way_in() {
    let realm = Realm::new().await;
    let front = get(&realm, "", "/").await;
    assert_eq!(front.status, StatusCode::OK);
    assert!(front.text.contains("Sign in"));
    for cookie in [
        "",
        "rialto_session=",
        "rialto_session=forged",
        "rialto_session=../../x",
    ] {
        let answer = get(&realm, cookie, "/deals?state=settled").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{cookie}");
        let way = "/sign-in?next=%2Fdeals%3Fstate%3Dsettled";
        assert_eq!(answer.header("location"), way);
    }
    let refused = post(&realm, "", "/sign-in", "token=wrong").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.text.contains("RLT0015"));
    assert!(refused.text.contains("operator.token") && !refused.text.contains("Authorization"));
    let index = get(&realm, "", "/api/").await;
    assert_eq!(index.status, StatusCode::OK);
    let index = get(&realm, "", "/api").await;
    let index: serde_json::Value = serde_json::from_str(&index.text).unwrap();
    assert_eq!(index["openapi"], "/api/openapi.json");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_away_after_signing_in() {
    let realm = Realm::new().await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "x",
    ] {
        let form = format!("token={}&next={next}", realm.operator);
        let answer = post(&realm, "", "/sign-in", &form).await;
        assert_eq!(answer.header("location"), "/", "{next}");
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_the_tokens_and_dies_with_it() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("casa").await;
    let issued = realm
        .ok(&admin, "agent.register", json!({ "handle": "late" }))
        .await;
    let token = issued["token"]["secret"].as_str().unwrap();
    let cookie = sign_in(&realm, token).await;
    assert!(!cookie.contains(token), "the cookie holds the token");
    assert_eq!(get(&realm, &cookie, "/deals").await.status, StatusCode::OK);
    realm
        .ok(
            &admin,
            "token.revoke",
            json!({ "token": issued["ids"]["tok"] }),
        )
        .await;
    let after = get(&realm, &cookie, "/deals").await;
    assert_eq!(after.status, StatusCode::SEE_OTHER);

    let cookie = sign_in(&realm, &admin).await;
    realm.clock.advance_ms(DAY_MS);
    let after = get(&realm, &cookie, "/deals").await;
    assert_eq!(
        after.status,
        StatusCode::SEE_OTHER,
        "an idle session lives on"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_strict_and_secure_where_they_can_be() {
    let realm = Realm::new().await;
    let form = format!("token={}", realm.operator);
    let plain = post(&realm, "", "/sign-in", &form).await;
    let cookie = plain.header("set-cookie");
    for part in ["rialto_session=", "Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
    let tls = [OWN, ("x-forwarded-proto", "https")];
    let behind = send(&realm, Method::POST, "/sign-in", &tls, &form).await;
    let cookie = behind.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-rialto=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_from_elsewhere_are_refused() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("casa").await;
    let cookie = sign_in(&realm, &admin).await;
    let page = get(&realm, &cookie, "/agents").await;
    let csrf = page.hidden("csrf");
    assert_eq!(csrf.len(), 64);
    let form = |csrf: &str| format!("csrf={csrf}&handle=intruder");
    for bad in ["", "0", &"0".repeat(64)] {
        let answer = post(&realm, &cookie, "/agents", &form(bad)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{bad}");
        assert!(answer.text.contains("RLT0101"));
    }
    let own_cookie = ("cookie", cookie.as_str());
    let strangers: [&[(&str, &str)]; 4] = [
        &[own_cookie],
        &[own_cookie, ("origin", "http://evil.example")],
        &[own_cookie, ("origin", "null")],
        &[own_cookie, OWN, ("sec-fetch-site", "cross-site")],
    ];
    for headers in strangers {
        let answer = send(&realm, Method::POST, "/agents", headers, &form(&csrf)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let other = sign_in(&realm, &realm.operator).await;
    let answer = post(&realm, &other, "/agents", &form(&csrf)).await;
    assert_eq!(
        answer.status,
        StatusCode::FORBIDDEN,
        "another session's form"
    );
    let found = get(&realm, &cookie, "/agents?text=intruder").await;
    assert!(!found.text.contains("@intruder"));
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_twice_is_carried_out_once() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("casa").await;
    let cookie = sign_in(&realm, &admin).await;
    let page = get(&realm, &cookie, "/agents").await;
    let seal = format!("csrf={}&key={}", page.hidden("csrf"), page.hidden("key"));
    let form = format!("{seal}&handle=twice&description=%3Cb%3Ebold");
    let first = post(&realm, &cookie, "/agents", &form).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert!(first.text.contains("id=\"secret\""));
    let again = post(&realm, &cookie, "/agents", &form).await;
    assert_eq!(again.status, StatusCode::OK);
    assert!(!again.text.contains("id=\"secret\""));
    assert!(again.text.contains("was registered before"));
    let taken = format!("csrf={}&handle=twice", page.hidden("csrf"));
    let taken = post(&realm, &cookie, "/agents", &taken).await;
    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text.contains("RLT0104"));
    assert!(!taken.text.contains("<b>bold"));
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_yours_answers_as_what_does_not_exist() {
    let realm = Realm::new().await;
    let (_, buyer, deal) = agreed(&realm).await;
    let deal = deal.as_str().unwrap();
    let (nosy, _) = realm.owner("nosy").await;
    let (own, other) = (sign_in(&realm, &buyer).await, sign_in(&realm, &nosy).await);
    let path = format!("/deals/{deal}");
    let page = get(&realm, &own, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("@seller-agent"));
    let guessed = get(&realm, &other, &path).await;
    let absent = get(&realm, &other, "/deals/deal_0000000zzz00").await;
    for answer in [&guessed, &absent] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text.contains("RLT0103"));
        assert!(!answer.text.contains("@seller-agent"));
    }
    let trace = get(&realm, &other, &format!("/trace/{deal}")).await;
    assert_eq!(trace.status, StatusCode::NOT_FOUND);
    for path in [
        "/",
        "/deals",
        "/negotiations",
        "/ledger",
        "/log",
        "/accounts?by=counterparty",
    ] {
        let page = get(&realm, &other, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text.contains("buyer-agent"), "{path}");
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_with_a_page() {
    let realm = Realm::new().await;
    let cookie = sign_in(&realm, &realm.operator).await;
    for (path, status) in [
        ("/deals/x", 400),
        ("/deals?state=odd", 400),
        ("/deals?cursor=%00", 400),
        ("/tasks?state=%3Cscript%3E", 400),
        ("/accounts?by=shoe", 400),
        ("/accounts?from=yesterday", 400),
        ("/log/0", 404),
        ("/log/x", 400),
        ("/log?actor=%3Cscript%3E", 400),
        ("/market?items=a&max_price=x", 400),
        ("/agents/@nobody", 404),
        ("/owners/owner_000000000zz0", 404),
        ("/assets/../Cargo.toml", 404),
        ("/nowhere", 404),
    ] {
        let answer = get(&realm, &cookie, path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(answer.text.contains("/errors/RLT0"), "{path}");
        assert!(!answer.text.contains("<script>"), "{path}");
    }
    let huge = format!("token={}", "x".repeat(300 << 10));
    let answer = post(&realm, "", "/sign-in", &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_nothing_while_its_holder_is_stopped() {
    let realm = Realm::new().await;
    let (admin, agent) = realm.owner("ana").await;
    let cookie = sign_in(&realm, &agent).await;
    assert_eq!(get(&realm, &cookie, "/agents").await.status, StatusCode::OK);
    let stop = json!({ "stop": true });
    realm.ok(&admin, "owner.stop", stop).await;
    for path in ["/agents", "/log", "/live", "/deals"] {
        let answer = get(&realm, &cookie, path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text.contains("RLT0105"), "{path}: {}", answer.text);
    }
    let front = get(&realm, &cookie, "/").await;
    assert!(front.text.contains("RLT0105") && front.text.contains("name=\"token\""));
    let answer = post(&realm, "", "/sign-in", &format!("token={agent}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Its owner's people go on, and let it go on from the owner's page.
    let cookie = sign_in(&realm, &admin).await;
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let page = format!("/owners/{}", me["owner"].as_str().unwrap());
    let shown = get(&realm, &cookie, &page).await;
    assert!(shown.text.contains("Restart its agents"), "{}", shown.text);
    let form = format!(
        "csrf={}&key={}&to=start",
        shown.hidden("csrf"),
        shown.hidden("key")
    );
    let answer = post(&realm, &cookie, &format!("{page}/stop"), &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(realm.get(&agent, "/api/inbox").await.0, StatusCode::OK);
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_an_allowance_opens_with_what_is_in_force() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ana").await;
    let issue = json!({ "to": "@ana-agent", "amount": "1" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let limits = json!({ "node": { "agent": "@ana-agent" }, "per_deal": "7", "per_period": "70", "period_ms": 5_400_000 });
    realm.ok(&admin, "policy.set_allowance", limits).await;
    let cookie = sign_in(&realm, &admin).await;
    let page = get(&realm, &cookie, "/agents/@ana-agent").await;
    for field in ["value=\"7.00\"", "value=\"70.00\"", "value=\"5400000\""] {
        assert!(page.text.contains(field), "{field} in {}", page.text);
    }
    let form = format!(
        "csrf={}&key={}&asset=USD&per_deal=&per_period=70.00&period=5400000&approval_above=9",
        page.hidden("csrf"),
        page.hidden("key")
    );
    let path = "/agents/@ana-agent/allowance";
    let seal = format!("csrf={}&key={}", page.hidden("csrf"), page.hidden("key"));
    let wrong = post(&realm, &cookie, path, &format!("{seal}&per_deal=abc")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(
        wrong.text.contains("er deal: expected a decimal number"),
        "{}",
        wrong.text
    );
    assert!(!wrong.text.contains("Compare it with"), "{}", wrong.text);
    let answer = post(&realm, &cookie, path, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let path = format!("/api/owners/{}/allowances", me["owner"].as_str().unwrap());
    let (_, set) = realm.get(&admin, &path).await;
    let set = &set["items"][0];
    assert_eq!(set["per_deal"], serde_json::Value::Null);
    assert_eq!(set["per_period"], "70.00");
    assert_eq!(set["period_ms"], 5_400_000);
    assert_eq!(set["approval_above"], "9.00");
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_invites_and_nobody_else() {
    let realm = Realm::new().await;
    let (_, agent) = realm.owner("acme").await;
    let stranger = sign_in(&realm, &agent).await;
    let refused = get(&realm, &stranger, "/invitations").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        !get(&realm, &stranger, "/")
            .await
            .text
            .contains("/invitations")
    );
    let cookie = sign_in(&realm, &realm.operator).await;
    assert!(
        get(&realm, &cookie, "/")
            .await
            .text
            .contains("/invitations")
    );
    let page = get(&realm, &cookie, "/invitations").await;
    let (csrf, key) = (page.hidden("csrf"), page.hidden("key"));
    let form = format!("csrf={csrf}&key={key}&label=friends&uses=5&days=7");
    let made = post(&realm, &cookie, "/invitations", &form).await;
    let code = made.text.split("inv_").nth(1).expect("a code");
    let code: String = code
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let args = json!({ "name": "bob", "kind": "person", "invitation": format!("inv_{code}") });
    realm.ok(&realm.operator, "owner.sign_up", args).await;
    // Sent twice it is made once, and its code is not told again.
    let again = post(&realm, &cookie, "/invitations", &form).await;
    assert!(again.text.contains("was made before") && !again.text.contains(&code));
    let page = get(&realm, &cookie, "/invitations").await;
    assert!(page.text.contains("friends") && !page.text.contains(&code));
    let id = page.hidden("invitation");
    let key = page.hidden("key");
    let form = format!("csrf={csrf}&key={key}&invitation={id}");
    let stolen = post(&realm, &stranger, "/invitations/end", &form).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    let ended = post(&realm, &cookie, "/invitations/end", &form).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    assert!(
        !get(&realm, &cookie, "/invitations")
            .await
            .text
            .contains("friends")
    );
    realm.stop();
}

/// A page as people read it: without its markup.
fn read(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let shown = part.split_once('>').map_or(part, |(_, shown)| shown);
        text.push(' ');
        text.push_str(shown);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_shows_all_that_a_yes_agrees_to_and_what_came_of_it() {
    let realm = Realm::new().await;
    let (admin, buyer) = realm.owner("ana").await;
    let (_, seller) = realm.owner("bob").await;
    let issue = json!({ "to": "@ana-agent", "amount": "1000" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    let stall = json!({ "terms": { "title": "Ropes of Bob" } });
    let stall = realm.ok(&seller, "listing.publish", stall).await;
    let listing = stall["ids"]["list"].as_str().unwrap();
    let limits =
        json!({ "node": { "agent": "@ana-agent" }, "per_period": "800", "approval_above": "10" });
    realm.ok(&admin, "policy.set_allowance", limits).await;
    let terms = json!({
        "price": "190", "lines": [{ "item": "Rope", "quantity": 2 }],
        "issues": [{ "name": "pickup", "value": { "text": "Harbour yard" } }],
    });
    let open = json!({
        "with": "@bob-agent", "side": "buy", "terms": terms, "valid_for_ms": 90_000, "fund": true,
        "listing": listing,
    });
    let asked = realm.ok(&buyer, "negotiation.open", open).await;
    let id = asked["waits_for"].as_str().unwrap().to_owned();
    let cookie = sign_in(&realm, &admin).await;
    let path = format!("/approvals/{id}");
    let page = get(&realm, &cookie, &path).await;
    says(
        &read(&page.text),
        &[
            "holds its money at once",
            "pickup: Harbour yard",
            "within 1 day of the agreement",
            "1 minute 30 seconds, once it goes out",
            "Ropes of Bob",
            "no reason given",
            "Sent by @ana-agent",
            "800.00 of 800.00 USD left; a yes leaves 610.00 USD",
            "counts since it was set",
        ],
    );
    for never in ["agent_0", "000Z:", "within day", "within week"] {
        let shown = read(&page.text);
        assert!(!shown.contains(never), "{never} in {shown}");
    }

    // A yes that would be refused says so first, and one that cannot be given any more is not offered.
    let stop = json!({ "listing": listing });
    realm.ok(&seller, "listing.withdraw", stop).await;
    let page = get(&realm, &cookie, &path).await;
    let text = read(&page.text);
    says(&text, &["A yes would be refused now"]);
    let again = json!({ "terms": { "title": "Ropes of Bob" } });
    realm.ok(&seller, "listing.publish", again).await;
    let form = format!(
        "csrf={}&key={}&approve=false&reason=too+dear",
        page.hidden("csrf"),
        page.hidden("key")
    );
    let answer = post(&realm, &cookie, &path, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let text = read(&get(&realm, &cookie, &path).await.text);
    says(&text, &["Denied", "by ana too dear by ana"]);

    // The seller's words are the seller's, the agent's the agent's, and a yes names its deal.
    let sell = json!({
        "with": "@ana-agent", "side": "sell", "terms": terms, "valid_for_ms": 600_000,
        "note": "ask for the harbour master",
    });
    let open = json!({ "agent": "@ana-agent", "profile": { "contact": "open" } });
    realm.ok(&admin, "agent.set_profile", open).await;
    let made = realm.ok(&seller, "negotiation.open", sell).await;
    let negotiation = made["ids"]["neg"].as_str().unwrap().to_owned();
    let (_, talk) = realm
        .get(&buyer, &format!("/api/negotiations/{negotiation}"))
        .await;
    let accept = json!({
        "negotiation": negotiation, "offer": talk["offers"][0]["hash"], "note": "for the boat",
    });
    let asked = realm.ok(&buyer, "negotiation.accept", accept).await;
    let path = format!("/approvals/{}", asked["waits_for"].as_str().unwrap());
    let page = get(&realm, &cookie, &path).await;
    says(
        &read(&page.text),
        &[
            "ask for the harbour master by @bob-agent (the seller)",
            "for the boat by @ana-agent",
        ],
    );
    let form = format!(
        "csrf={}&key={}&approve=true",
        page.hidden("csrf"),
        page.hidden("key")
    );
    let answer = post(&realm, &cookie, &path, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let page = get(&realm, &cookie, &path).await;
    says(
        &read(&page.text),
        &["Approved", "by ana , which made deal_"],
    );
    let deal = page.text.split("/deals/").nth(1).unwrap();
    let deal = deal.split('"').next().unwrap();
    for shown in [
        format!("/deals/{deal}"),
        format!("/negotiations/{negotiation}"),
    ] {
        let text = read(&get(&realm, &cookie, &shown).await.text);
        says(
            &text,
            &["pickup: Harbour yard", "within 7 days of a dispute"],
        );
    }
    realm.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_suspended_only_by_who_has_ticked_the_box() {
    let realm = Realm::new().await;
    let (admin, _) = realm.owner("ana").await;
    let (_, me) = realm.get(&admin, "/api/whoami").await;
    let limits = json!({ "node": { "agent": "@ana-agent" }, "per_period": "70" });
    let issue = json!({ "to": "@ana-agent", "amount": "1" });
    realm.ok(&realm.operator, "ledger.issue", issue).await;
    realm.ok(&admin, "policy.set_allowance", limits).await;
    let page = format!("/owners/{}", me["owner"].as_str().unwrap());
    let cookie = sign_in(&realm, &admin).await;
    let shown = get(&realm, &cookie, &page).await;
    // What was spent is there, under the agent's name; what only the operator may do is not.
    says(
        &read(&shown.text),
        &[
            "@ana-agent USD no limit 70.00 day 0.00 70.00",
            "Stop all its agents",
        ],
    );
    assert!(!shown.text.contains("Suspend"), "{}", shown.text);
    let cookie = sign_in(&realm, &realm.operator).await;
    let shown = get(&realm, &cookie, &page).await;
    for (more, want) in [
        ("", StatusCode::BAD_REQUEST),
        ("&sure=yes", StatusCode::SEE_OTHER),
    ] {
        let form = format!(
            "csrf={}&key={}&to=suspend{more}",
            shown.hidden("csrf"),
            shown.hidden("key")
        );
        let answer = post(&realm, &cookie, &format!("{page}/switch"), &form).await;
        assert_eq!(answer.status, want, "{more} {}", answer.text);
    }
    realm.stop();
}

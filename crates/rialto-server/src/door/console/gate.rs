//! In and out: signing in, signing out, the theme, finding a thing by its name, the API's index.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use rialto_console::form::Refused;
use rialto_console::kit::{path_of, path_part};
use rialto_console::pages::gate::Gate;
use rialto_console::shell::Theme;
use rialto_core::decide::secret_hash;
use rialto_core::id::AnyId;
use rialto_core::identity::{self, Auth, Need, Principal, Rights};
use rialto_core::reject::Code;
use serde_json::{Value, json};

use super::guard;
use super::request::{Filled, PageRequest, Posted, SignedIn, filled, pair, realm_name, shown};
use crate::door::Door;
use crate::door::auth::{Caller, stands};
use crate::door::problem::Refusal;

/// An address within this console, and nothing else.
fn own_path(text: Option<&String>) -> &str {
    let fits = |path: &&String| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.bytes().all(|b| b.is_ascii_graphic())
    };
    text.filter(fits).map_or("/", String::as_str)
}

/// The page of somebody without a session.
pub(super) async fn stranger(
    request: &PageRequest,
    refused: Option<&Refusal>,
    next: &str,
) -> Result<Response, Refusal> {
    let read = request.door.node.read(|state| {
        let realm = state.realm.get(&());
        (
            realm.map(|r| r.key.to_string()),
            state.settings().sign_up_open,
        )
    });
    let (_, (key, sign_up_open)) = read.await?;
    let gate = Gate {
        realm: realm_name(&request.door).to_owned(),
        key: key.unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sign_up_open,
        refused: refused.map(|r| Refused {
            hint: hint(r),
            ..shown(&r.problem())
        }),
        next: next.to_owned(),
    };
    Ok(request.render("Sign in", None, None, &gate.page()))
}

/// What a person at a browser does next.
fn hint(refusal: &Refusal) -> String {
    match refusal.rejection.code {
        Code::Unauthenticated => "Copy the whole token, which begins with rlt_. The operator's is in \
             operator.token in the realm's data folder; a person's or agent's is in the file that \
             --save named when it signed up or was registered. An admin of the owner issues another: \
             rialto owner token, or rialto agent token."
            .to_owned(),
        code => code.remedy().to_owned(),
    }
}

/// `GET /sign-in`.
pub(super) async fn page(request: PageRequest) -> Result<Response, Refusal> {
    let next = own_path(request.params.get("next")).to_owned();
    if request.session.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    stranger(&request, request.stopped.as_ref(), &next).await
}

/// `POST /sign-in`: a token for a session.
pub(super) async fn sign_in(
    request: PageRequest,
    headers: HeaderMap,
    form: Filled,
) -> Result<Response, Refusal> {
    guard::same_site(&headers, &request.door.rules.names)?;
    let fields = filled(form)?;
    let next = own_path(fields.get("next")).to_owned();
    let secret = fields.get("token").map(|t| t.trim()).unwrap_or_default();
    match open(&request, secret).await {
        Ok(id) => {
            let cookie = guard::session_cookie(Some(&id), request.encrypted);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
        }
        Err(refusal) => {
            let page = stranger(&request, Some(&refusal), &next).await?;
            let status = crate::door::status_of(refusal.rejection.code);
            Ok((status, page).into_response())
        }
    }
}

async fn open(request: &PageRequest, secret: &str) -> Result<String, Refusal> {
    let hash = secret_hash(secret);
    let info = request.door.node.token(&hash).ok_or_else(|| {
        Refusal::new(
            Code::Unauthenticated,
            "the token is not one of this realm, or it was revoked",
        )
    })?;
    if matches!(info.principal, Principal::Service(_)) {
        return Err(Refusal::new(
            Code::Forbidden,
            "the console is for the operator, people and agents; services use the API",
        ));
    }
    if info.may != Rights::EVERYTHING {
        return Err(identity::missing(info.may, Need::Everything).into());
    }
    if !request.door.node.may_come_from(info.token, request.from) {
        return Err(Code::TokenPlace.into());
    }
    let caller = Caller {
        principal: info.principal,
        auth: Auth::Token(info.token),
        acting: None,
    };
    stands(&request.door, &caller).await?;
    let node = &request.door.node;
    if let Some(old) = &request.id {
        request.door.sessions.close(old);
    }
    let (now, chance) = (node.clock().now(), node.chance());
    Ok(request.door.sessions.open(hash, info, now, chance))
}

/// `POST /sign-out`.
pub(super) async fn sign_out(Posted { user, .. }: Posted) -> Result<Response, Refusal> {
    if let Some(id) = &user.request.id {
        user.door().sessions.close(id);
    }
    let cookie = guard::session_cookie(None, user.request.encrypted);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// `POST /theme`: changes nothing but a cookie, so it needs no session.
pub(super) async fn theme(
    State(door): State<Arc<Door>>,
    headers: HeaderMap,
    form: Filled,
) -> Result<Response, Refusal> {
    guard::same_site(&headers, &door.rules.names)?;
    let fields = filled(form)?;
    let word = Theme::of(fields.get("theme").map_or("", String::as_str)).word();
    let back = own_path(fields.get("back")).to_owned();
    Ok((
        [(header::SET_COOKIE, guard::theme_cookie(word))],
        Redirect::to(&back),
    )
        .into_response())
}

/// `GET /find`: straight to the page of an agent, an id or a position; else a search for agents.
pub(super) async fn find(user: SignedIn) -> Redirect {
    let wanted = user.param("q").unwrap_or_default();
    if let Some(path) = wanted.parse::<AnyId>().ok().and_then(path_of) {
        return Redirect::to(&path);
    }
    let digits = wanted.trim_start_matches('#');
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Redirect::to(&format!("/log/{digits}"));
    }
    if wanted.starts_with('@') {
        return Redirect::to(&format!("/agents/{}", path_part(wanted)));
    }
    Redirect::to(&format!("/agents?{}", pair("text", wanted)))
}

/// `GET /api`: where to begin, for programs.
pub(super) async fn index(State(door): State<Arc<Door>>) -> Json<Value> {
    Json(json!({
        "name": realm_name(&door),
        "program": "rialto",
        "version": env!("CARGO_PKG_VERSION"),
        "openapi": "/api/openapi.json",
        "realm": "/api/realm",
        "errors": "/errors/{code}",
    }))
}

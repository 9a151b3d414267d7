//! A browser without a screen: it keeps cookies, follows nothing by itself, and finds the fields of
//! forms.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderMap, Method, StatusCode};
use poem::{Body, Endpoint, Request, Response};
use serde_json::Value;

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) async fn of(mut response: Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.take_body().into_string().await.expect("text"),
        }
    }

    /// Whether it is a refusal with that code; in dialects that have no codes, the kind of its status.
    pub(super) fn refuses_with(&self, code: &str) -> bool {
        let told: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let error = &told["error"];
        if error["message"].as_str().is_none_or(str::is_empty) {
            return false;
        }
        if told["type"] == "error" {
            let kind = match self.status {
                StatusCode::UNAUTHORIZED => "authentication_error",
                StatusCode::FORBIDDEN => "permission_error",
                StatusCode::NOT_FOUND => "not_found_error",
                StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
                _ => "invalid_request_error",
            };
            return error["type"] == kind;
        }
        if error["status"].is_string() {
            return error["code"] == self.status.as_u16();
        }
        error["code"] == code
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    pub(super) fn location(&self) -> &str {
        self.header("location")
    }

    pub(super) fn set_cookies(&self) -> Vec<&str> {
        let all = self.headers.get_all("set-cookie").iter();
        all.map(|value| value.to_str().expect("text")).collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The value of the last field of this name; the first is often the one of the preferences.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let (_, rest) = self
            .body
            .rsplit_once(&format!("name=\"{name}\" value=\""))?;
        rest.split('"').next()
    }
}

/// What a person uses: keeps cookies, and sends the token of the page it was last shown.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) face: Arc<BoxEndpoint<'static, Response>>,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) token: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Browser {
    /// The answer as it comes, its body unread.
    pub(super) async fn open(&self, path: &str) -> Response {
        let request = self.request(Method::GET, path).finish();
        self.face.get_response(request).await
    }

    fn request(&self, method: Method, path: &str) -> poem::RequestBuilder {
        let mut request = Request::builder()
            .method(method)
            .uri(path.parse().expect("a path"))
            .header("host", "localhost:3000")
            .header(
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
            );
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request
                .content_type("application/x-www-form-urlencoded")
                .body(Body::from(body)),
            None => request.finish(),
        };
        self.ask(request).await
    }

    /// Sends a form with a file, with the token of the last page.
    pub(super) async fn post_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (name, file): (&str, &str),
    ) -> Answer {
        let mut body = String::new();
        let token = self.token.clone();
        for (field, value) in [("csrf", token.as_str())].iter().chain(fields) {
            let _ = write!(
                body,
                "--part\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
        }
        let _ = write!(
            body,
            "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/json\r\n\r\n{file}\r\n--part--\r\n"
        );
        let request = self
            .request(Method::POST, path)
            .content_type("multipart/form-data; boundary=part")
            .body(Body::from(body));
        self.ask(request).await
    }

    async fn ask(&mut self, request: Request) -> Answer {
        let answer = Answer::of(self.face.get_response(request).await).await;
        for cookie in answer.set_cookies() {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default().to_owned();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value);
            }
        }
        if let Some(token) = answer.field("csrf") {
            token.clone_into(&mut self.token);
        }
        answer
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Sends a form with the token of the last page.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.clone();
        let all = [("csrf", token.as_str())];
        let all: Vec<_> = all.iter().chain(fields).copied().collect();
        self.post_bare(path, &all).await
    }

    /// Sends a form as it is.
    pub(super) async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).expect("a form");
        self.send(Method::POST, path, Some(body)).await
    }

    /// Opens the login of an area and sends it.
    pub(super) async fn log_in(
        &mut self,
        root: &str,
        names: &[(&str, &str)],
        password: &str,
    ) -> Answer {
        let page = self.get(&format!("{root}/login")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.location());
        let fields: Vec<_> = names
            .iter()
            .copied()
            .chain([("password", password)])
            .collect();
        self.post(&format!("{root}/login"), &fields).await
    }

    /// Whether the browser is let in at a page.
    pub(super) async fn is_in(&mut self, path: &str) -> bool {
        let answer = self.get(path).await;
        answer.status == StatusCode::OK
    }

    /// The session's cookie.
    pub(super) fn session(&self, area: &str) -> &str {
        self.cookies
            .get(&format!("waule_{area}"))
            .map_or("", String::as_str)
    }
}

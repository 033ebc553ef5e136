//! Routes of the preview, behind the same protection as the server of one learner on his own machine.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};

use super::{Preview, answers, events, pages};
use crate::http::{file, loopback_only};

pub(crate) fn router(preview: Arc<Preview>) -> Router {
    let routes = Router::new()
        .route("/", get(pages::outline))
        .route("/learn/{module}/{lesson}", get(pages::lesson))
        .route("/learn/{module}/{lesson}/quiz", post(answers::quiz))
        .route("/api/submit_quiz", post(answers::island))
        .route("/learn/{module}/summary", get(pages::summary))
        .route("/learn/{module}/test", get(pages::test_of_module).post(answers::test_of_module))
        .route("/learn/{module}/test/new", post(answers::again))
        .route("/test", get(pages::test_of_course).post(answers::test_of_course))
        .route("/test/new", post(answers::again))
        .route("/print", get(pages::print))
        .route("/glossary", get(pages::glossary))
        .route("/search", get(pages::search))
        .route("/preview/events", get(events::stream))
        .route("/assets/{*path}", get(asset))
        .route("/pkg/{*path}", get(package))
        .fallback(pages::elsewhere)
        .with_state(preview);
    loopback_only(routes)
}

async fn asset(preview: State<Arc<Preview>>, path: Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    from_site("assets", preview, path, query, headers)
}

async fn package(preview: State<Arc<Preview>>, path: Path<String>, query: RawQuery, headers: HeaderMap) -> Response {
    from_site("pkg", preview, path, query, headers)
}

fn from_site(
    folder: &str,
    State(preview): State<Arc<Preview>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    file(&preview.site, &format!("{folder}/{path}"), query.as_deref(), &headers)
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Method, Request, StatusCode},
    };
    use bulkhead_labs::manifest::{Catalog, Files};
    use tokio::sync::watch;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{assets::Site, preview::Desk};

    const OUTLINE: &str = "title = \"t\"\nsummary = \"s\"\n[[module]]\nslug = \"m\"\ntitle = \"M\"\nsummary = \"s\"\n[[module.section]]\nlessons = [{ slug = \"l\", title = \"L\" }]\n";
    const LESSON: &str = "---\nid: l\ntitle: L\nsummary: s\nstatus: draft\nminutes: 1\nobjectives: [x]\nrefs: [{title: R, date: \"2025\"}]\nupdated: \"2026-11-24\"\n---\nWords.\n\n```quiz\n[[questions]]\nid = \"q\"\ntype = \"ShortAnswer\"\nprompt.prompt = \"?\"\nanswer.answer = \"yes\"\ncontext = \"Because.\"\n```\n";

    /// A preview of one lesson.
    fn preview(lesson: &str) -> Router {
        let folder =
            std::env::temp_dir().join(format!("bulkhead-preview-{}", crate::random::Random::system().hex::<8>()));
        std::fs::create_dir_all(folder.join("m/l")).expect("a folder");
        std::fs::write(folder.join("course.toml"), OUTLINE).expect("an outline");
        std::fs::write(folder.join("m/l/lesson.md"), lesson).expect("a lesson");
        let edition = Desk::new(&folder).read().expect("an edition");
        let (_, editions) = watch::channel(Arc::new(edition));
        let preview = Preview {
            editions,
            labs: Catalog::parse(&Files::new()),
            site: Site::open(Some(folder.clone())),
            run: "run".to_owned(),
        };
        std::fs::remove_dir_all(folder).expect("removed");
        router(Arc::new(preview))
    }

    async fn ask(
        router: &Router,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let mut request = Request::new(Body::from(body.to_owned()));
        (*request.method_mut(), *request.uri_mut()) = (method, path.parse().expect("a path"));
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().expect("a name");
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        let response = router.clone().oneshot(request).await.expect("the router never fails");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn drafts_are_shown_with_what_is_wrong_in_them() {
        let router = preview(LESSON);
        let (status, page) = ask(&router, Method::GET, "/learn/m/l", &[("host", "localhost")], "").await;
        assert!(
            status == StatusCode::OK && page.contains("Words.") && page.contains("data-preview=\"run.1\""),
            "{page}"
        );
        let router = preview(&LESSON.replace("minutes: 1", "minuets: 1"));
        let (status, page) = ask(&router, Method::GET, "/learn/m/l", &[("host", "localhost")], "").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(page.contains("<code>m/l/lesson.md:6</code> error:") && page.contains("data-broken"), "{page}");
        let (status, _) = ask(&router, Method::GET, "/labs", &[("host", "localhost")], "").await;
        assert_eq!(status, StatusCode::CONFLICT);
    }

    #[tokio::test]
    async fn a_quiz_is_marked_and_nothing_is_kept() {
        let router = preview(LESSON);
        let own = [("host", "localhost"), ("origin", "http://localhost"), ("content-type", "application/json")];
        let sent = "{\"lesson\":\"m/l\",\"answers\":[{\"question\":\"q\",\"text\":\"yes\"}]}";
        let (status, marks) = ask(&router, Method::POST, "/api/submit_quiz", &own, sent).await;
        assert!(status == StatusCode::OK && marks.contains("\"passed\":true"), "{marks}");
        let form = [own[0], own[1], ("content-type", "application/x-www-form-urlencoded")];
        for (path, expected) in [("/learn/m/l/quiz", "Because."), ("/learn/m/test", "Because.")] {
            let field = if path.ends_with("test") { "q.l.q=no" } else { "q.q=no" };
            let (status, page) = ask(&router, Method::POST, path, &form, field).await;
            assert!(status == StatusCode::OK && page.contains(expected), "{path}: {page}");
        }
        let (_, page) = ask(&router, Method::GET, "/learn/m/l", &own[..1], "").await;
        assert!(!page.contains("Because."), "{page}");
    }

    #[tokio::test]
    async fn nobody_else_is_answered() {
        let router = preview(LESSON);
        let (status, page) = ask(&router, Method::GET, "/learn/m/l", &[("host", "evil.example")], "").await;
        assert!(status == StatusCode::MISDIRECTED_REQUEST && !page.contains("Words."), "{page}");
        let (status, _) = ask(&router, Method::GET, "/preview/events?seen=", &[("host", "evil.example")], "").await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
        let foreign = [("host", "localhost"), ("origin", "http://evil.example"), ("content-type", "application/json")];
        let sent = "{\"lesson\":\"m/l\",\"answers\":[]}";
        let (status, _) = ask(&router, Method::POST, "/api/submit_quiz", &foreign, sent).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
}

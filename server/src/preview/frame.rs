//! What is added to a page: what is wrong with its files, and the script that loads it again.

use std::fmt::Write as _;

use bulkhead_app::Rendered;
use bulkhead_content::{Diagnostic, Severity};

const SCRIPT: &str = include_str!("reload.js");
const STYLE: &str = include_str!("preview.css");
/// Where a page's own part begins, as the app writes it.
const MAIN: &str = "<main ";

/// `edition` is what the page was drawn from; a page that had to be replaced by another is `broken`.
pub(super) fn framed(page: Rendered, edition: &str, broken: bool, findings: &[&Diagnostic]) -> Rendered {
    let nonce = escaped(&page.nonce);
    let panel = panel(edition, broken, findings);
    let head = format!("<style nonce=\"{nonce}\">{STYLE}</style></head>");
    let tail = format!("<script type=\"module\" nonce=\"{nonce}\">{SCRIPT}</script></body>");
    let html = page.html.replacen("</head>", &head, 1).replacen(MAIN, &format!("{panel}{MAIN}"), 1);
    let html = match html.rsplit_once("</body>") {
        Some((before, after)) => format!("{before}{tail}{after}"),
        None => html,
    };
    Rendered { html, ..page }
}

fn panel(edition: &str, broken: bool, findings: &[&Diagnostic]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len() - errors;
    let (worst, open) = match (errors, warnings) {
        (0, 0) => ("none", ""),
        (0, _) => ("warning", ""),
        _ => ("error", " open"),
    };
    let broken = if broken { " data-broken" } else { "" };
    let mut html = format!(
        "<section class=\"preview\" aria-label=\"Preview\" data-preview=\"{}\" data-worst=\"{worst}\"{broken}>",
        escaped(edition)
    );
    if findings.is_empty() {
        html.push_str("<p>Preview: nothing to complain of.</p>");
    } else {
        let _infallible = write!(html, "<details{open}><summary>Preview: {}</summary><ol>", counted(errors, warnings));
        for finding in findings {
            item(finding, &mut html);
        }
        html.push_str("</ol></details>");
    }
    html.push_str("</section>");
    html
}

fn item(finding: &Diagnostic, html: &mut String) {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let (file, message) = (escaped(&finding.file), escaped(&finding.message));
    let _infallible = write!(html, "<li><code>{file}:{}</code> {word}: {message}", finding.line);
    if !finding.fix.is_empty() {
        let _infallible = write!(html, "<p>Fix: {}</p>", escaped(&finding.fix));
    }
    html.push_str("</li>");
}

pub(crate) fn counted(errors: usize, warnings: usize) -> String {
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_text_whatever_stands_in_them() {
        let finding = Diagnostic {
            severity: Severity::Error,
            file: "m/l/lesson.md".to_owned(),
            line: 7,
            message: "raw HTML `<script>` is not allowed".to_owned(),
            fix: "say \"no\"".to_owned(),
        };
        let html = "<html><head></head><body><main id=\"main\">x</main></body></html>".to_owned();
        let page = framed(Rendered { status: 200, html, nonce: "n".to_owned() }, "run.1", false, &[&finding]);
        assert!(page.html.contains(
            "<code>m/l/lesson.md:7</code> error: raw HTML `&lt;script&gt;` is not allowed<p>Fix: say &quot;no&quot;</p>"
        ));
        assert!(page.html.contains(
            "data-preview=\"run.1\" data-worst=\"error\"><details open><summary>Preview: 1 error, 0 warnings"
        ));
        let order = [
            "<style nonce=\"n\">",
            "</head>",
            "<section class=\"preview\"",
            "<main ",
            "<script type=\"module\" nonce=\"n\">",
            "</body>",
        ];
        let places: Vec<_> = order.iter().map(|part| page.html.find(part).expect("there")).collect();
        assert!(places.is_sorted(), "{}", page.html);
    }

    #[test]
    fn the_app_writes_the_page_as_it_is_looked_for() {
        let request = bulkhead_app::PageRequest {
            caller: bulkhead_app::api::Caller::ANONYMOUS,
            path: "/".to_owned(),
            query: String::new(),
            assets: bulkhead_app::Assets::new("v"),
            page: bulkhead_app::Page::Glossary(Vec::new()),
        };
        let page = framed(bulkhead_app::render(request), "run.1", true, &[]);
        for part in ["data-preview=\"run.1\" data-worst=\"none\" data-broken", "new EventSource", ".preview summary {"]
        {
            assert_eq!(page.html.matches(part).count(), 1, "{part}");
        }
    }
}

//! Reads an SVG strictly and writes it again from an allow-list: shapes, text, markers. A file that holds anything else
//! (scripts, styles, links, foreign content, colours that would not follow the theme) is refused, not repaired.

use roxmltree::{Document, Node, ParsingOptions};

use crate::text::{escape, escaped};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u32,
    pub(super) message: String,
    pub(super) fix: &'static str,
}

const MAX_BYTES: usize = 64 << 10;
const MAX_NODES: u32 = 4_000;
const MAX_DEPTH: usize = 24;

const ELEMENTS: &[&str] = &[
    "circle", "defs", "ellipse", "g", "line", "marker", "path", "polygon", "polyline", "rect", "svg", "text", "tspan",
    "use",
];

const ATTRIBUTES: &[&str] = &[
    "class",
    "cx",
    "cy",
    "d",
    "dominant-baseline",
    "dx",
    "dy",
    "fill",
    "font-family",
    "font-size",
    "font-weight",
    "height",
    "href",
    "id",
    "marker-end",
    "marker-mid",
    "marker-start",
    "markerHeight",
    "markerUnits",
    "markerWidth",
    "opacity",
    "orient",
    "points",
    "preserveAspectRatio",
    "r",
    "refX",
    "refY",
    "rx",
    "ry",
    "stroke",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-width",
    "text-anchor",
    "transform",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// The figure's SVG. `number` keeps the ids of several diagrams on one page apart.
pub(super) fn inline(bytes: &[u8], alt: &str, number: usize) -> Result<String, Fault> {
    let whole = |message: String| Fault { line: 1, message, fix: "export plain SVG, as the guide shows" };
    if bytes.len() > MAX_BYTES {
        return Err(whole(format!("more than {MAX_BYTES} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| whole(error.to_string()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| Fault {
        line: error.pos().row,
        message: error.to_string(),
        fix: "make it well-formed XML",
    })?;
    let root = document.root_element();
    let Some(width) = root.attribute("viewBox").and_then(|view| view.split_whitespace().nth(2)) else {
        return Err(fault(root, "the drawing has no viewBox".to_owned(), "give `svg` a viewBox, so that it scales"));
    };
    let mut html = format!("<svg role=\"img\" aria-label=\"{}\" width=\"{}\"", escaped(alt), escaped(width));
    element(root, number, 0, &mut html)?;
    Ok(html)
}

fn element(node: Node<'_, '_>, number: usize, depth: usize, html: &mut String) -> Result<(), Fault> {
    let name = node.tag_name().name();
    if !ELEMENTS.contains(&name) || (name == "svg") != (depth == 0) {
        return Err(fault(
            node,
            format!("`{name}` is not allowed"),
            "draw with g, path, rect, circle, line, polygon, text, marker",
        ));
    }
    if depth > MAX_DEPTH {
        return Err(fault(node, format!("nested more than {MAX_DEPTH} deep"), "flatten the groups"));
    }
    if depth > 0 {
        html.push('<');
        html.push_str(name);
    }
    for attribute in node.attributes() {
        if depth == 0 && matches!(attribute.name(), "width" | "height" | "role" | "aria-label") {
            continue;
        }
        let value = value(node, attribute.name(), attribute.value(), number)?;
        html.push(' ');
        html.push_str(attribute.name());
        html.push_str("=\"");
        escape(&value, html);
        html.push('"');
    }
    html.push('>');
    for child in node.children() {
        if child.is_element() {
            element(child, number, depth + 1, html)?;
        } else if let Some(text) = child.text().filter(|_| child.is_text()) {
            // Only text elements show text; elsewhere it is the file's indentation.
            if matches!(name, "text" | "tspan") {
                escape(text, html);
            }
        }
    }
    html.push_str("</");
    html.push_str(name);
    html.push('>');
    Ok(())
}

fn value(node: Node<'_, '_>, name: &str, value: &str, number: usize) -> Result<String, Fault> {
    let refused = |fix| Err(fault(node, format!("`{name}=\"{value}\"` is not allowed"), fix));
    match name {
        "id" => Ok(format!("d{number}-{value}")),
        "href" => match value.strip_prefix('#') {
            Some(id) => Ok(format!("#d{number}-{id}")),
            None => refused("point to an id of the same drawing"),
        },
        "marker-start" | "marker-mid" | "marker-end" => {
            match value.strip_prefix("url(#").and_then(|rest| rest.strip_suffix(')')) {
                Some(id) => Ok(format!("url(#d{number}-{id})")),
                None => refused("write url(#id)"),
            }
        }
        "fill" | "stroke" if !matches!(value, "none" | "currentColor") => {
            refused("use none or currentColor and give it a class, so that it follows the theme")
        }
        name if ATTRIBUTES.contains(&name) && !value.contains("url(") => Ok(value.to_owned()),
        _ => refused("see the guide for what a drawing may use"),
    }
}

fn fault(node: Node<'_, '_>, message: String, fix: &'static str) -> Fault {
    Fault { line: node.document().text_pos_at(node.range().start).row, message, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(inner: &str) -> Result<String, Fault> {
        inline(
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 200\">\n{inner}\n</svg>").as_bytes(),
            "a \"box\"",
            3,
        )
    }

    #[test]
    fn shapes_pass_and_ids_are_kept_apart() {
        let html = drawing("<defs><marker id=\"a\"><path d=\"M0 0\"/></marker></defs><line x1=\"0\" marker-end=\"url(#a)\" class=\"dg-line\"/><text x=\"1\">a &lt; b</text>").expect("fine");
        assert!(
            html.starts_with(
                "<svg role=\"img\" aria-label=\"a &quot;box&quot;\" width=\"720\" viewBox=\"0 0 720 200\">"
            ),
            "{html}"
        );
        assert!(
            html.contains("id=\"d3-a\"") && html.contains("marker-end=\"url(#d3-a)\"") && html.contains("a &lt; b"),
            "{html}"
        );
    }

    #[test]
    fn everything_else_is_refused() {
        for inner in [
            "<script>alert(1)</script>",
            "<foreignObject><p>x</p></foreignObject>",
            "<a href=\"#x\"><text>x</text></a>",
            "<style>*{}</style>",
            "<rect style=\"fill:red\"/>",
            "<rect onclick=\"alert(1)\"/>",
            "<rect fill=\"#f00\"/>",
            "<rect class=\"x\" transform=\"url(http://x)\"/>",
            "<use href=\"https://evil.example/x.svg#y\"/>",
            "<image href=\"data:image/png;base64,AA\"/>",
            "<svg viewBox=\"0 0 1 1\"/>",
            "<animate attributeName=\"href\" values=\"javascript:alert(1)\"/>",
        ] {
            assert_eq!(drawing(inner).expect_err(inner).line, 2, "{inner}");
        }
        assert!(inline(b"<!DOCTYPE svg [<!ENTITY a \"b\">]><svg viewBox=\"0 0 1 1\">&a;</svg>", "x", 0).is_err());
        assert!(inline(b"\xff\xfe", "x", 0).is_err() && inline(b"", "x", 0).is_err());
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{}{}", "<g>".repeat(2_000), "</g>".repeat(2_000));
        assert!(drawing(&deep).is_err());
    }
}

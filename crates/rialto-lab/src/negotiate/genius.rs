//! Domains as Genius XML: a `negotiation_template`, and `utility_space` files next to it.
//!
//! Holds the reader. It takes discrete, integer and real issues under one objective, item evaluations,
//! linear and triangular evaluators, weights, reservation and discount. It never resolves an entity and
//! refuses a document type, so a text can never grow while it is read; non-additive spaces
//! (hyper-rectangles, rules) are refused by name.
//!
//! Two programs read these files differently: NegMAS multiplies an item's evaluation as written with its
//! issue's weight, Genius first divides it by the issue's greatest evaluation. If the greatest evaluations
//! of all issues are equal, so are the results; [`Evaluations`] chooses the way.

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

use super::domain::{
    Cell, Domain, DomainError, DomainSpec, Issue, IssueValue, Linear, MAX_FILE_BYTES, ProfileSpec,
    Step, Triangular, path_text,
};

/// The most nodes of a file: elements, attributes' texts and comments.
const MAX_NODES: u32 = 1_000_000;

/// How the evaluations of a discrete issue's items are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evaluations {
    /// As written, like NegMAS.
    #[default]
    AsWritten,
    /// Divided by the issue's greatest, like Genius.
    ByMax,
}

/// A file's name and its text.
pub type Source<'a> = (&'a str, &'a str);

/// What a file's root element says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A `negotiation_template`: the issues.
    Template,
    /// A `utility_space`: a profile.
    Profile,
    /// Something else.
    Other,
}

/// What kind of file a text is, from its first element; nothing is checked.
#[must_use]
pub fn kind(text: &str) -> Kind {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            r if r.starts_with("<!--") => r.find("-->").map(|i| i + 3),
            r if r.starts_with("<!DOCTYPE") => after_document_type(r),
            r if r.starts_with("<?") || r.starts_with("<!") => r.find('>').map(|i| i + 1),
            r if r.starts_with("<negotiation_template") => return Kind::Template,
            r if r.starts_with("<utility_space") => return Kind::Profile,
            _ => return Kind::Other,
        };
        match end {
            Some(end) => rest = rest[end..].trim_start(),
            None => return Kind::Other,
        }
    }
}

/// The end of a document type, which may hold declarations in brackets.
fn after_document_type(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    match text.find('[') {
        Some(open) if open < end => {
            let close = open + text[open..].find(']')?;
            Some(close + text[close..].find('>')? + 1)
        }
        _ => Some(end + 1),
    }
}

/// Reads a domain from its template and its profiles.
///
/// # Errors
///
/// What is wrong, with file, line and field.
pub fn parse(
    name: &str,
    template: Source<'_>,
    profiles: &[Source<'_>],
    evaluations: Evaluations,
) -> Result<Domain, DomainError> {
    let spec = parse_spec(name, template, profiles, evaluations)?;
    Domain::build(&spec).map_err(|fault| {
        // What is wrong with a profile stands in its file, everything else in the template.
        let file = match fault.path.as_slice() {
            [Step::Key(key), Step::Index(i), ..] if key == "profiles" => profiles[*i].0,
            _ => template.0,
        };
        DomainError {
            file: file.to_owned(),
            line: None,
            field: path_text(&fault.path),
            message: fault.message,
        }
    })
}

/// Reads a domain as the native form writes it.
///
/// # Errors
///
/// What is wrong, with file, line and field.
pub fn parse_spec(
    name: &str,
    template: Source<'_>,
    profiles: &[Source<'_>],
    evaluations: Evaluations,
) -> Result<DomainSpec, DomainError> {
    let xml = Xml::parse(template)?;
    let issues = xml.issues()?;
    let mut specs = Vec::new();
    for source in profiles {
        let xml = Xml::parse(*source)?;
        specs.push(xml.profile(&issues, evaluations)?);
    }
    Ok(DomainSpec {
        name: name.to_owned(),
        issues,
        profiles: specs,
    })
}

struct Xml<'a> {
    file: &'a str,
    document: Document<'a>,
    /// Lines of the file before the document.
    skipped: usize,
}

type Element<'a, 'i> = Node<'a, 'i>;

impl<'a> Xml<'a> {
    fn parse((file, text): Source<'a>) -> Result<Self, DomainError> {
        let error = |line, message| DomainError {
            file: file.to_owned(),
            line,
            field: String::new(),
            message,
        };
        if text.len() > MAX_FILE_BYTES {
            let length = text.len();
            let message = format!("the file has {length} bytes; the most is {MAX_FILE_BYTES}");
            return Err(error(None, message));
        }
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            entity_resolver: None,
        };
        // Files of the competitions begin with blanks before their declaration.
        let text = text.trim_start_matches('\u{feff}');
        let body = text.trim_start();
        let skipped = text[..text.len() - body.len()].matches('\n').count();
        match Document::parse_with_options(body, options) {
            Ok(document) => Ok(Self {
                file,
                document,
                skipped,
            }),
            Err(e) => {
                let message = match e {
                    roxmltree::Error::DtdDetected => {
                        "a document type is refused: it could make the text grow".to_owned()
                    }
                    roxmltree::Error::NodesLimitReached => {
                        format!("more than {MAX_NODES} elements")
                    }
                    ref other => format!("not XML: {other}"),
                };
                Err(error(Some(e.pos().row as usize + skipped), message))
            }
        }
    }

    fn fail<T>(
        &self,
        node: Element<'_, '_>,
        field: &str,
        message: String,
    ) -> Result<T, DomainError> {
        let row = self.document.text_pos_at(node.range().start).row;
        let name = node.attribute("name").or(node.attribute("value"));
        let element = match name.or(node.attribute("index")) {
            Some(name) => format!("{}[{name}]", node.tag_name().name()),
            None => node.tag_name().name().to_owned(),
        };
        let field = if field.is_empty() {
            element
        } else {
            format!("{element}.{field}")
        };
        let line = Some(row as usize + self.skipped);
        Err(DomainError {
            file: self.file.to_owned(),
            line,
            field,
            message,
        })
    }

    fn attribute<'n>(&self, node: Element<'n, '_>, name: &str) -> Result<&'n str, DomainError> {
        match node.attribute(name) {
            Some(text) => Ok(text.trim()),
            None => self.fail(node, name, "the attribute is missing".to_owned()),
        }
    }

    fn number(&self, node: Element<'_, '_>, name: &str) -> Result<f64, DomainError> {
        let text = self.attribute(node, name)?;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => self.fail(node, name, format!("\"{text}\" is no finite number")),
        }
    }

    /// The number of the first of some attributes; a value if there is none of them.
    fn number_or(
        &self,
        node: Element<'_, '_>,
        names: &[&str],
        otherwise: f64,
    ) -> Result<f64, DomainError> {
        match names.iter().find(|name| node.has_attribute(**name)) {
            Some(name) => self.number(node, name),
            None => Ok(otherwise),
        }
    }

    /// The element whose children are issues and weights.
    fn objective(&self) -> Result<Element<'_, '_>, DomainError> {
        let root = self.document.root_element();
        let tag = root.tag_name().name();
        let space = match tag {
            "utility_space" => root,
            "negotiation_template" => match child(root, "utility_space") {
                Some(space) => space,
                None => return self.fail(root, "", "it has no utility_space".to_owned()),
            },
            _ => {
                let message = "a negotiation_template or a utility_space is expected".to_owned();
                return self.fail(root, "", message);
            }
        };
        let objective = child(space, "objective").unwrap_or(space);
        for node in space
            .children()
            .chain(objective.children())
            .filter(Node::is_element)
        {
            let tag = node.tag_name().name();
            let nested = tag == "objective" && node != objective;
            if nested
                || matches!(
                    tag,
                    "utility_function" | "utility" | "rules" | "constraints"
                )
            {
                let message = "only additive utilities over one list of issues are read".to_owned();
                return self.fail(node, "", message);
            }
        }
        Ok(objective)
    }

    fn issues(&self) -> Result<Vec<Issue>, DomainError> {
        let objective = self.objective()?;
        let mut issues = Vec::new();
        for node in elements(objective, "issue") {
            let index = self.number(node, "index")?;
            issues.push((index, self.issue(node)?));
        }
        if issues.is_empty() {
            return self.fail(objective, "", "it has no issue".to_owned());
        }
        issues.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(issues.into_iter().map(|(_, issue)| issue).collect())
    }

    fn issue(&self, node: Element<'_, '_>) -> Result<Issue, DomainError> {
        let mut issue = Issue {
            name: self.attribute(node, "name")?.to_owned(),
            values: None,
            integer: None,
            continuous: None,
            levels: None,
        };
        match issue_type(node) {
            "discrete" => {
                let mut values: Vec<String> = Vec::new();
                for item in elements(node, "item") {
                    let value = self.attribute(item, "value")?.to_owned();
                    // As in NegMAS, a value that stands twice is one.
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                if values.is_empty() {
                    return self.fail(node, "", "the issue has no item".to_owned());
                }
                issue.values = Some(values);
            }
            "integer" => {
                let [from, to] = self.range(node)?;
                if from.fract() != 0.0 || to.fract() != 0.0 || from.abs().max(to.abs()) > 1e15 {
                    let message = format!("{from} to {to} is no range of whole numbers");
                    return self.fail(node, "", message);
                }
                issue.integer = Some([from as i64, to as i64]);
            }
            "real" => issue.continuous = Some(self.range(node)?),
            other => {
                let message = format!("\"{other}\" is none of discrete, integer and real");
                return self.fail(node, "type", message);
            }
        }
        Ok(issue)
    }

    fn range(&self, node: Element<'_, '_>) -> Result<[f64; 2], DomainError> {
        let range = child(node, "range").unwrap_or(node);
        let (from, to) = (
            self.number(range, "lowerbound")?,
            self.number(range, "upperbound")?,
        );
        if from > to {
            return self.fail(node, "upperbound", format!("{to} is below {from}"));
        }
        Ok([from, to])
    }

    fn profile(
        &self,
        issues: &[Issue],
        evaluations: Evaluations,
    ) -> Result<ProfileSpec, DomainError> {
        let root = self.document.root_element();
        let objective = self.objective()?;
        let mut weights = BTreeMap::new();
        for node in elements(objective, "weight") {
            let index = self.attribute(node, "index")?.to_owned();
            weights.insert(index, self.number(node, "value")?);
        }
        let mut parts: Vec<IssueValue> = Vec::new();
        for node in elements(objective, "issue") {
            let name = self.attribute(node, "name")?;
            let Some(issue) = issues.iter().find(|issue| issue.name == name) else {
                return self.fail(node, "", "the template has no such issue".to_owned());
            };
            if parts.iter().any(|part| part.issue == name) {
                return self.fail(node, "", "the issue stands twice".to_owned());
            }
            let index = self.attribute(node, "index")?;
            let mut part = self.issue_value(node, issue, evaluations)?;
            part.weight = weights.get(index).copied().unwrap_or(1.0);
            parts.push(part);
        }
        if let Some(missing) = issues
            .iter()
            .find(|i| !parts.iter().any(|p| p.issue == i.name))
        {
            let message = format!("the template's issue \"{}\" is missing", missing.name);
            return self.fail(objective, "", message);
        }
        let value = |tag: &'static str, otherwise: f64| match child(root, tag) {
            Some(node) => self.number(node, "value"),
            None => Ok(otherwise),
        };
        // Zero is what old files write for "none".
        let discount = value("discount_factor", 1.0)?;
        let discount = if discount == 0.0 { 1.0 } else { discount };
        if !(discount > 0.0 && discount <= 1.0) {
            let node = child(root, "discount_factor").unwrap_or(root);
            let message = format!("{discount} is no discount: it is above 0 and at most 1");
            return self.fail(node, "value", message);
        }
        Ok(ProfileSpec {
            name: stem(self.file).to_owned(),
            reservation: Some(value("reservation", 0.0)?),
            discount,
            bias: 0.0,
            additive: Some(parts),
            table: None,
        })
    }

    fn issue_value(
        &self,
        node: Element<'_, '_>,
        issue: &Issue,
        evaluations: Evaluations,
    ) -> Result<IssueValue, DomainError> {
        let mut part = IssueValue {
            issue: issue.name.clone(),
            ..IssueValue::default()
        };
        if let Some(evaluator) = child(node, "evaluator")
            && issue.values.is_none()
        {
            let first = |names: &[&str], otherwise| self.number_or(evaluator, names, otherwise);
            match self.attribute(evaluator, "ftype")? {
                "linear" => {
                    let offset = first(&["offset", "parameter0"], 0.0)?;
                    let slope = first(&["slope", "parameter1"], 1.0)?;
                    part.linear = Some(Linear { offset, slope });
                }
                "constant" => {
                    let offset = first(&["parameter0", "offset"], 0.0)?;
                    part.linear = Some(Linear { offset, slope: 0.0 });
                }
                "triangular" => {
                    part.triangular = Some(Triangular {
                        start: self.number(evaluator, "parameter0")?,
                        end: self.number(evaluator, "parameter1")?,
                        peak: self.number(evaluator, "parameter2")?,
                    });
                }
                other => {
                    let message = format!("the function \"{other}\" is not read");
                    return self.fail(evaluator, "ftype", message);
                }
            }
            return Ok(part);
        }
        let mut values: BTreeMap<String, f64> = BTreeMap::new();
        for item in elements(node, "item") {
            let value = self.attribute(item, "value")?;
            if issue.index(&Cell::Text(value.to_owned())).is_none() {
                return self.fail(item, "value", "the template has no such value".to_owned());
            }
            values.insert(value.to_owned(), self.number(item, "evaluation")?);
        }
        for index in 0..issue.len() {
            let value = issue.text(index);
            if !values.contains_key(&value) {
                let message = format!("the value \"{value}\" has no evaluation");
                return self.fail(node, "", message);
            }
        }
        let most = values.values().copied().fold(f64::NEG_INFINITY, f64::max);
        if evaluations == Evaluations::ByMax && most != 0.0 {
            values.values_mut().for_each(|v| *v /= most);
        }
        part.values = Some(values);
        Ok(part)
    }
}

/// A file's name without its folders and its ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".xml").unwrap_or(name)
}

fn elements<'a, 'i>(
    node: Element<'a, 'i>,
    tag: &'static str,
) -> impl Iterator<Item = Element<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(tag))
}

fn child<'a, 'i>(node: Element<'a, 'i>, tag: &'static str) -> Option<Element<'a, 'i>> {
    elements(node, tag).next()
}

fn issue_type<'n>(node: Element<'n, '_>) -> &'n str {
    node.attribute("type")
        .or(node.attribute("vtype"))
        .unwrap_or("discrete")
}

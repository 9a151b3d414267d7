//! A page as a tree, read by the parser that browsers' rules are written into, with just enough
//! of selectors to ask for elements. Draws nothing and changes nothing.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::{Rc, Weak};

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, QualName, local_name, ns, parse_document};

/// A part of the tree while it grows.
struct Growing {
    name: QualName,
    element: bool,
    attributes: RefCell<Vec<Attribute>>,
    text: RefCell<String>,
    parent: Cell<Weak<Growing>>,
    children: RefCell<Vec<Rc<Growing>>>,
}

impl Growing {
    fn new(name: QualName, element: bool, attributes: Vec<Attribute>) -> Rc<Self> {
        Rc::new(Self {
            name,
            element,
            attributes: RefCell::new(attributes),
            text: RefCell::default(),
            parent: Cell::default(),
            children: RefCell::default(),
        })
    }

    /// Neither the document nor texts nor comments have a name.
    fn nameless(text: &str) -> Rc<Self> {
        let name = QualName::new(None, ns!(), local_name!(""));
        let node = Self::new(name, false, Vec::new());
        text.clone_into(&mut node.text.borrow_mut());
        node
    }

    fn parent(&self) -> Option<Rc<Self>> {
        let parent = self.parent.take();
        let found = parent.upgrade();
        self.parent.set(parent);
        found
    }

    fn place(self: &Rc<Self>, parent: &Rc<Self>) -> Option<usize> {
        parent
            .children
            .borrow()
            .iter()
            .position(|child| Rc::ptr_eq(child, self))
    }
}

/// Collects what the parser reads.
struct Sink {
    root: Rc<Growing>,
    faults: RefCell<Vec<String>>,
}

impl Sink {
    fn insert(&self, parent: &Rc<Growing>, at: usize, child: NodeOrText<Rc<Growing>>) {
        let node = match child {
            NodeOrText::AppendText(text) => {
                let children = parent.children.borrow();
                let before = at.min(children.len()).checked_sub(1);
                let before = before.map(|before| &children[before]);
                if let Some(words) = before.filter(|node| !node.text.borrow().is_empty()) {
                    words.text.borrow_mut().push_str(&text);
                    return;
                }
                Growing::nameless(&text)
            }
            NodeOrText::AppendNode(node) => {
                self.remove_from_parent(&node);
                node
            }
        };
        node.parent.set(Rc::downgrade(parent));
        let at = at.min(parent.children.borrow().len());
        parent.children.borrow_mut().insert(at, node);
    }
}

impl TreeSink for Sink {
    type Handle = Rc<Growing>;
    type Output = Document;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Document {
        let mut document = Document {
            nodes: Vec::new(),
            errors: self.faults.into_inner(),
        };
        document.settle(&self.root);
        document
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.faults.borrow_mut().push(message.into_owned());
    }

    fn get_document(&self) -> Self::Handle {
        Rc::clone(&self.root)
    }

    fn elem_name<'a>(&'a self, target: &'a Self::Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        _: ElementFlags,
    ) -> Self::Handle {
        Growing::new(name, true, attributes)
    }

    fn create_comment(&self, _: StrTendril) -> Self::Handle {
        Growing::nameless("")
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Self::Handle {
        Growing::nameless("")
    }

    fn append(&self, parent: &Self::Handle, child: NodeOrText<Self::Handle>) {
        self.insert(parent, usize::MAX, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Self::Handle,
        previous: &Self::Handle,
        child: NodeOrText<Self::Handle>,
    ) {
        if element.parent().is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Self::Handle) -> Self::Handle {
        Rc::clone(target)
    }

    fn same_node(&self, one: &Self::Handle, other: &Self::Handle) -> bool {
        Rc::ptr_eq(one, other)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        if mode != QuirksMode::NoQuirks {
            self.parse_error(Cow::Borrowed("the page is read in quirks mode"));
        }
    }

    fn append_before_sibling(&self, sibling: &Self::Handle, child: NodeOrText<Self::Handle>) {
        if let Some(parent) = sibling.parent() {
            let at = sibling.place(&parent).unwrap_or(usize::MAX);
            self.insert(&parent, at, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Self::Handle, more: Vec<Attribute>) {
        let mut attributes = target.attributes.borrow_mut();
        for attribute in more {
            if !attributes.iter().any(|had| had.name == attribute.name) {
                attributes.push(attribute);
            }
        }
    }

    fn remove_from_parent(&self, target: &Self::Handle) {
        if let Some(parent) = target.parent()
            && let Some(at) = target.place(&parent)
        {
            parent.children.borrow_mut().remove(at);
        }
    }

    fn reparent_children(&self, node: &Self::Handle, new_parent: &Self::Handle) {
        for child in node.children.take() {
            child.parent.set(Rc::downgrade(new_parent));
            new_parent.children.borrow_mut().push(child);
        }
    }
}

/// A part of the finished tree. Parts stand in the order of the page, each before its own.
struct Settled {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    /// Where the parts that are not inside of it begin.
    end: usize,
}

/// A page that was read.
pub(crate) struct Document {
    nodes: Vec<Settled>,
    /// What was not as it should be, in the parser's words.
    pub(crate) errors: Vec<String>,
}

impl Document {
    /// Reads a page.
    pub(crate) fn read(html: &str) -> Self {
        let sink = Sink {
            root: Growing::nameless(""),
            faults: RefCell::default(),
        };
        parse_document(sink, html5ever::ParseOpts::default()).one(html)
    }

    fn settle(&mut self, node: &Rc<Growing>) {
        let at = self.nodes.len();
        let attributes = node.attributes.borrow();
        let attributes = attributes.iter();
        self.nodes.push(Settled {
            name: if node.element {
                node.name.local.to_string()
            } else {
                String::new()
            },
            attributes: attributes
                .map(|attribute| {
                    (
                        attribute.name.local.to_string(),
                        attribute.value.to_string(),
                    )
                })
                .collect(),
            text: node.text.borrow().clone(),
            end: 0,
        });
        for child in node.children.borrow().iter() {
            self.settle(child);
        }
        self.nodes[at].end = self.nodes.len();
    }

    /// The elements that fit.
    pub(crate) fn select(&self, selector: &str) -> Vec<Element<'_>> {
        Element {
            document: self,
            at: 0,
        }
        .select(selector)
    }

    /// All text of the page.
    pub(crate) fn text(&self) -> String {
        Element {
            document: self,
            at: 0,
        }
        .text("")
    }
}

/// An element of a page.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    document: &'a Document,
    at: usize,
}

impl<'a> Element<'a> {
    fn node(self) -> &'a Settled {
        &self.document.nodes[self.at]
    }

    pub(crate) fn name(self) -> &'a str {
        &self.node().name
    }

    pub(crate) fn attr(self, name: &str) -> Option<&'a str> {
        let mut attributes = self.node().attributes.iter();
        attributes
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn attrs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.node()
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn classes(self) -> impl Iterator<Item = &'a str> {
        self.attr("class").unwrap_or_default().split_whitespace()
    }

    /// The texts inside, with something between them.
    pub(crate) fn text(self, between: &str) -> String {
        let mut text = String::new();
        for node in &self.document.nodes[self.at..self.node().end] {
            if !node.text.is_empty() {
                let _ = write!(text, "{}{between}", node.text);
            }
        }
        text
    }

    /// The text inside, without blanks around it.
    pub(crate) fn words(self) -> String {
        self.text("").trim().to_owned()
    }

    /// The elements inside that fit: `name`, `#id`, `.class`, `[attr]`, `[attr=value]`,
    /// `[attr^=value]`, `:not(…)` of one of these, and lists with commas.
    pub(crate) fn select(self, selector: &str) -> Vec<Element<'a>> {
        let inside = self.at + 1..self.node().end;
        inside
            .map(|at| Element { at, ..self })
            .filter(|element| !element.name().is_empty())
            .filter(|element| selector.split(", ").any(|one| element.fits(one)))
            .collect()
    }

    fn fits(self, selector: &str) -> bool {
        let mut rest = selector;
        while !rest.is_empty() {
            let (fits, after) = if let Some(inner) = rest.strip_prefix(":not(") {
                let (not, after) = inner.split_once(')').expect("`:not(` is closed");
                (!self.fits(not), after)
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (asked, after) = inner.split_once(']').expect("`[` is closed");
                (self.has(asked), after)
            } else {
                let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '*';
                let begin = usize::from(rest.starts_with(['.', '#']));
                let end = rest[begin..]
                    .find(|c| !letter(c))
                    .map_or(rest.len(), |end| begin + end);
                let word = &rest[begin..end];
                assert!(
                    !word.is_empty(),
                    "`{selector}` is more than the tests understand"
                );
                let fits = match &rest[..begin] {
                    "." => self.classes().any(|class| class == word),
                    "#" => self.attr("id") == Some(word),
                    _ => word == "*" || self.name() == word,
                };
                (fits, &rest[end..])
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        true
    }

    fn has(self, asked: &str) -> bool {
        match (asked.split_once("^="), asked.split_once('=')) {
            (Some((name, begin)), _) => self.attr(name).is_some_and(|own| own.starts_with(begin)),
            (None, Some((name, value))) => self.attr(name) == Some(value),
            (None, None) => self.attr(asked).is_some(),
        }
    }
}

#[test]
fn selectors_find_what_they_say() {
    let page = Document::read(
        "<!doctype html><title>t</title><p id=a class='x y'>one <b data-n=1>two</b></p><input type=hidden hidden><input>",
    );
    assert_eq!(page.errors, Vec::<String>::new());
    let count = |selector| page.select(selector).len();
    assert_eq!(count("p"), 1);
    assert_eq!(count("p#a.x.y"), 1);
    assert_eq!(count("p.z"), 0);
    assert_eq!(count("b[data-n=1], title"), 2);
    assert_eq!(count("[data-n^=1]"), 1);
    assert_eq!(count("input:not([type=hidden])"), 1);
    assert_eq!(page.select("p")[0].words(), "one two");
    assert_eq!(page.select("p")[0].select("b").len(), 1);
    assert!(
        !Document::read("<!doctype html><title></title><p></b>")
            .errors
            .is_empty()
    );
}

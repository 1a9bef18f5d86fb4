//! The tree html5ever builds from a fragment, kept only to look at its shape.
//!
//! ammonia parses with the same tree builder but cannot be told to stop. This sink can: it counts
//! what the parse costs ammonia's tree (nodes, and the children walked when something is inserted
//! before a table or moved by the adoption agency) and goes deaf once a limit is passed, so the
//! gate is linear where ammonia would be quadratic.
//!
//! Counting start and end tags was decided against: ignored end tags (`<td></div>`) and rebuilt
//! formatting elements (`<font 1><font 2>…<p><p>…`) make any such count too low or too high.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, local_name, ns, parse_fragment};

/// Bytes given to the parser between two looks at the limits.
const STEP_BYTES: usize = 1024;

type Id = usize;

/// One node: an element, a text or a comment.
#[derive(Default)]
pub(super) struct Node {
    /// `None` for the document, text and comments.
    pub(super) element: Option<Element>,
    parent: Option<Id>,
    previous: Option<Id>,
    next: Option<Id>,
    first: Option<Id>,
    last: Option<Id>,
    children: usize,
    /// Length of a text in bytes, and how many of its characters are escaped.
    text: (usize, usize),
    /// Distance from the root when it was attached: exact enough to stop early.
    depth: usize,
}

/// What the parser asks about an element and, in tests, its name and attributes.
pub(super) struct Element {
    #[cfg(test)]
    name: QualName,
    /// The document fragment of a `template`.
    content: Option<Id>,
    annotation_xml_integration_point: bool,
    #[cfg(test)]
    attrs: Vec<Attribute>,
}

#[cfg(test)]
impl Element {
    pub(super) fn name(&self) -> &str {
        &self.name.local
    }

    pub(super) fn attrs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attrs.iter().map(|a| (&*a.name.local, &*a.value))
    }

    pub(super) fn is_html(&self) -> bool {
        self.name.ns == ns!(html)
    }
}

/// Most that a parse may cost.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Depth of the deepest node; the fragment's own children are at 2, under the parser's root.
    pub(super) depth: usize,
    /// Nodes made.
    pub(super) nodes: usize,
    /// Children walked to insert before a sibling, to remove and to move.
    pub(super) walks: usize,
    /// Over all texts and attributes, bytes times characters to escape: html5ever's serialiser
    /// looks through the rest of a text for each of them.
    pub(super) escapes: usize,
}

/// A parsed fragment.
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Parses a fragment as ammonia does; `None` when it passes a limit.
    pub(super) fn parse(html: &str, limits: Limits) -> Option<Tree> {
        let context = QualName::new(None, ns!(html), local_name!("div"));
        let sink = Sink::new(limits);
        let mut parser = parse_fragment(sink, ParseOpts::default(), context, vec![], false);
        let mut rest = html;
        while !rest.is_empty() {
            let (step, after) = rest.split_at(rest.floor_char_boundary(STEP_BYTES));
            parser.process(StrTendril::from(step));
            if parser.tokenizer.sink.sink.spent.get() {
                return None;
            }
            rest = after;
        }
        let tree = parser.finish()?;
        (tree.depth() <= limits.depth && tree.escapes() <= limits.escapes).then_some(tree)
    }

    /// See [`Limits::escapes`].
    fn escapes(&self) -> usize {
        let cost = |node: &Node| node.text.0.saturating_mul(node.text.1);
        self.nodes.iter().map(cost).fold(0, usize::saturating_add)
    }

    /// Depth of the deepest node, see [`Limits::depth`].
    fn depth(&self) -> usize {
        let (mut deepest, mut depth, mut at) = (0, 0, 0);
        loop {
            if let Some(first) = self.nodes[at].first {
                at = first;
                depth += 1;
                deepest = deepest.max(depth);
                continue;
            }
            while self.nodes[at].next.is_none() {
                let Some(parent) = self.nodes[at].parent else {
                    return deepest;
                };
                at = parent;
                depth -= 1;
            }
            at = self.nodes[at].next.expect("the loop above ended at a node with a sibling");
        }
    }

    #[cfg(test)]
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        // The document, the fragment's context and its `html` root are the parser's, not the input's.
        self.nodes.iter().filter_map(|n| n.element.as_ref()).skip(2)
    }
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    limits: Limits,
    walks: Cell<usize>,
    /// A limit was passed: nothing is built any more.
    spent: Cell<bool>,
}

/// A node's handle carries its name, so that the parser can borrow it.
#[derive(Clone)]
struct Handle {
    id: Id,
    name: Option<QualName>,
}

impl Sink {
    fn new(limits: Limits) -> Self {
        Sink {
            nodes: RefCell::new(vec![Node::default()]),
            limits,
            walks: Cell::new(0),
            spent: Cell::new(false),
        }
    }

    fn add(&self, node: Node) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        if nodes.len() >= self.limits.nodes {
            self.spent.set(true);
        }
        nodes.push(node);
        nodes.len() - 1
    }

    /// Counts a walk over all children of a node.
    fn walk(&self, parent: Id) {
        let walks = self.walks.get() + self.nodes.borrow()[parent].children;
        self.walks.set(walks);
        if walks > self.limits.walks {
            self.spent.set(true);
        }
    }

    /// The node to attach; a text that continues a text is none.
    fn child(&self, child: NodeOrText<Handle>, before: Option<Id>) -> Option<Id> {
        let text = match child {
            NodeOrText::AppendNode(node) => return Some(node.id),
            NodeOrText::AppendText(text) => text,
        };
        let continued = before.filter(|&id| self.nodes.borrow()[id].element.is_none());
        let id = continued.unwrap_or_else(|| self.add(Node::default()));
        let mut nodes = self.nodes.borrow_mut();
        let counted = &mut nodes[id].text;
        *counted = (counted.0 + text.len(), counted.1 + escaped(&text));
        continued.is_none().then_some(id)
    }

    fn detach(&self, id: Id) {
        let mut nodes = self.nodes.borrow_mut();
        let Some(parent) = nodes[id].parent.take() else {
            return;
        };
        let (previous, next) = (nodes[id].previous.take(), nodes[id].next.take());
        match previous {
            Some(previous) => nodes[previous].next = next,
            None => nodes[parent].first = next,
        }
        match next {
            Some(next) => nodes[next].previous = previous,
            None => nodes[parent].last = previous,
        }
        nodes[parent].children -= 1;
    }

    /// Puts a detached node under `parent`, before `next` or last.
    fn attach(&self, parent: Id, next: Option<Id>, id: Id) {
        let mut nodes = self.nodes.borrow_mut();
        let previous = match next {
            Some(next) => nodes[next].previous.replace(id),
            None => nodes[parent].last.replace(id),
        };
        match previous {
            Some(previous) => nodes[previous].next = Some(id),
            None => nodes[parent].first = Some(id),
        }
        nodes[parent].children += 1;
        let depth = nodes[parent].depth + 1;
        let node = &mut nodes[id];
        (node.parent, node.previous, node.next, node.depth) = (Some(parent), previous, next, depth);
        if depth > self.limits.depth + 2 {
            self.spent.set(true);
        }
    }
}

/// How many characters of a text or an attribute are written as references.
fn escaped(text: &str) -> usize {
    text.bytes().filter(|b| matches!(b, b'&' | b'<' | b'>' | b'"' | 0xa0)).count()
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Option<Tree>;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Option<Tree> {
        (!self.spent.get()).then(|| Tree { nodes: self.nodes.into_inner() })
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: 0, name: None }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.as_ref().expect("the tree builder asks for names of elements only").expanded()
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Handle {
        // A tag's attributes are bounded, so their sum is as good as each.
        let length = attrs.iter().map(|a| a.value.len()).max().unwrap_or(0);
        let text = (length, attrs.iter().map(|a| escaped(&a.value)).sum());
        let content = flags.template.then(|| self.add(Node::default()));
        #[cfg(not(test))]
        drop(attrs);
        let element = Element {
            #[cfg(test)]
            name: name.clone(),
            content,
            annotation_xml_integration_point: flags.mathml_annotation_xml_integration_point,
            #[cfg(test)]
            attrs,
        };
        let id = self.add(Node { element: Some(element), text, ..Node::default() });
        Handle { id, name: Some(name) }
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        Handle { id: self.add(Node::default()), name: None }
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Handle { id: self.add(Node::default()), name: None }
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        if self.spent.get() {
            return;
        }
        let last = self.nodes.borrow()[parent.id].last;
        if let Some(id) = self.child(child, last) {
            self.detach(id);
            self.attach(parent.id, None, id);
        }
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let has_parent = self.nodes.borrow()[element.id].parent.is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let nodes = self.nodes.borrow();
        let content = nodes[target.id].element.as_ref().and_then(|e| e.content);
        Handle { id: content.expect("asked of templates only"), name: None }
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if self.spent.get() {
            return;
        }
        let (parent, previous) = {
            let nodes = self.nodes.borrow();
            (nodes[sibling.id].parent, nodes[sibling.id].previous)
        };
        let Some(parent) = parent else { return };
        self.walk(parent);
        if let Some(id) = self.child(child, previous) {
            self.detach(id);
            self.attach(parent, Some(sibling.id), id);
        }
    }

    fn add_attrs_if_missing(&self, _: &Handle, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        if self.spent.get() {
            return;
        }
        let parent = self.nodes.borrow()[target.id].parent;
        if let Some(parent) = parent {
            self.walk(parent);
            self.detach(target.id);
        }
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.walk(node.id);
        while !self.spent.get() {
            let Some(first) = self.nodes.borrow()[node.id].first else {
                return;
            };
            self.detach(first);
            self.attach(new_parent.id, None, first);
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &Handle) -> bool {
        let nodes = self.nodes.borrow();
        nodes[handle.id].element.as_ref().is_some_and(|e| e.annotation_xml_integration_point)
    }
}

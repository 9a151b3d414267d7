//! What becomes of a table and of a form of filters where the window is narrow.

use super::*;
use crate::page::{Area, Lang, Theme};
use crate::views::VIEWS;

fn page() -> Page {
    Page::sample(&VIEWS[0], Area::Admin, Lang::En, Theme::System)
}

#[test]
fn cells_have_the_heads_of_their_columns() {
    let table = concat!(
        "<p><table class=\"table table-rows\"><thead><tr><th scope=\"col\">Name</th>",
        "<th scope=\"col\" class=\"num\"><a class=\"sort\" href=\"?a\">Credits<span></span></a></th>",
        "<th scope=\"col\"><span class=\"visually-hidden\">Actions</span></th></tr></thead>\n",
        "<tbody><tr><th scope=\"row\">a &lt;td&gt; b</th><td class=\"num\">1</td><td>x</td></tr>",
        "<tr><td colspan=\"2\">both</td><td><b>x</b></td><td>over</td></tr></tbody>",
        "<tfoot><tr><td>sum</td></tr></tfoot></table></p>",
    );
    let fitted = fit(table.to_owned(), &page());
    for expected in [
        "<th data-label=\"Name\" scope=\"row\">a &lt;td&gt; b</th><td data-label=\"Credits\" class=\"num\">1</td><td>x</td>",
        "<td data-label=\"Name\" colspan=\"2\">both</td><td><b>x</b></td><td>over</td>",
        "<tfoot><tr><td>sum</td></tr></tfoot></table></p>",
    ] {
        assert!(fitted.contains(expected), "{expected}\n{fitted}");
    }
    let without_labels = fitted
        .replace(" data-label=\"Name\"", "")
        .replace(" data-label=\"Credits\"", "");
    assert_eq!(without_labels, table, "nothing else is changed");
}

#[test]
fn what_has_neither_table_nor_filters_stays_as_it_is() {
    for html in [
        "",
        "<p>x</p>",
        "<table>",
        "<table class=\"table\"",
        "<form class=\"filters\"",
    ] {
        assert_eq!(fit(html.to_owned(), &page()), html);
    }
    for html in [
        "<table class=\"table\"><tbody><tr><td",
        "<table class=\"table\"><thead><tr><th>",
    ] {
        assert_eq!(fit(html.to_owned(), &page()), html, "cut off");
    }
}

const FORM: &str = concat!(
    "<form class=\"filters\" method=\"get\" action=\"/admin/usage\" role=\"search\">",
    "<input type=\"hidden\" name=\"sort\" value=\"-calls\">",
    "<div class=\"field\"><label for=\"q\">Tenant <span class=\"optional\">optional</span></label>",
    "<div class=\"control\"><input type=\"text\" autocomplete=\"off\" id=\"q\" name=\"q\" value=\"A&#38;B &#60;i&#62;\"></div></div>",
    "<div class=\"field\"><label for=\"status\">Status</label><select id=\"status\" name=\"status\">",
    "<option value=\"\">All</option><option value=\"failed\" selected>Failed &#39;x&#39;</option></select></div>",
    "<div class=\"field\"><label for=\"kind\">Kind</label><select id=\"kind\" name=\"kind\">",
    "<option value=\"\" selected>All</option></select></div>",
    "<label class=\"tick\" for=\"all\"><input type=\"checkbox\" value=\"on\" id=\"all\" name=\"all\" checked> <span>All of them</span></label>",
    "<button class=\"button\">Filter</button></form>",
);

#[test]
fn filters_that_are_set_are_counted_and_can_be_taken_back() {
    let fitted = fit(format!("<p></p>{FORM}<p></p>"), &page());
    for expected in [
        "popovertarget=\"filters-1\"",
        "Filters · 3</button>",
        "role=\"search\" id=\"filters-1\" popover aria-label=\"Filters\">",
        "Tenant: A&#38;B &#60;i&#62;</span>",
        "Status: Failed &#39;x&#39;</span>",
        "href=\"/admin/usage?sort=-calls&#38;status=failed&#38;all=on\"",
        "href=\"/admin/usage?sort=-calls&#38;q=A%26B%20%3Ci%3E&#38;all=on\"",
        "All of them</span>",
    ] {
        assert!(fitted.contains(expected), "{expected}\n{fitted}");
    }
    assert!(!fitted.contains("Kind: "), "{fitted}");
    assert!(!fitted.contains("<i>"), "{fitted}");
}

#[test]
fn one_field_stays_in_view() {
    let form = concat!(
        "<form class=\"filters\" action=\"/admin/search\"><input type=\"hidden\" name=\"range\" value=\"7d\">",
        "<label for=\"q\">Search</label><input type=\"search\" id=\"q\" name=\"q\" value=\"\"></form>",
    );
    assert_eq!(fit(form.to_owned(), &page()), form);
}

#[test]
fn two_forms_have_two_names() {
    let fitted = fit(format!("{FORM}{FORM}"), &page());
    assert!(fitted.contains("id=\"filters-1\"") && fitted.contains("id=\"filters-2\""));
}

//! Looks at every page the way browsers, screen readers and attackers do.
//! Needs no server: samples of every view are rendered here.

mod contrast;
mod dom;
mod markup;
mod pages;
mod roles;
mod scripts;
mod snapshots;
mod stylesheet;
mod walk;
mod words;

//! The figures behind the pages: sums that stay exact whoever commits when, lists that neither skip
//! nor repeat, exports, one call's story. Each on both databases.

mod rollups;

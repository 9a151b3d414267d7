//! Management endpoints of tenants: paging types and what they share.

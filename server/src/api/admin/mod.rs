//! Management endpoints of superadmins: what they share.

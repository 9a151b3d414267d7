//! Room: tenants, users, keys, superadmins, and who may change them; every change is audited.

//! Room: hold, settle, release, grant, balance; the whole public face of the money.

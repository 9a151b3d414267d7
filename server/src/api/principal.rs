//! Who calls, as a parameter of an endpoint: a key or a token becomes a principal. Looks nothing up
//! itself; `auth` does.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::error::ApiError;
use crate::auth::roles::{Action, Kind, kind, may};
use crate::auth::{Auth, AuthError, Principal};
use crate::store::accounts::Superadmin;
use crate::store::audit::Actor;

const BEARER: &str = "Bearer";
const API_KEY: &str = "ApiKey";

/// A caller of `/api/v1`.
#[derive(Debug, Clone)]
pub struct TenantCaller(pub Arc<Principal>);

/// A caller of `/admin/api` whose role may do `K`; what is not said is looking. A test asks every
/// route of the document as every role.
#[derive(Debug, Clone)]
pub struct SuperadminCaller<K: Kind = kind::Look> {
    /// Who.
    pub admin: Superadmin,
    /// From where.
    pub address: IpAddr,
    action: PhantomData<K>,
}

impl<K: Kind> SuperadminCaller<K> {
    /// Refuses what their role may not do, where that depends on what was sent.
    pub fn must_be_able_to(&self, action: Action) -> Result<(), ApiError> {
        if may(self.admin.role, action) {
            Ok(())
        } else {
            Err(ApiError::forbidden(
                "role_not_allowed",
                "Your role does not allow this.",
            ))
        }
    }

    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor::superadmin(&self.admin, self.address)
    }
}

/// The peer's address; `X-Forwarded-For` is not believed. A socket of another family has none, and
/// no allowed address matches it.
pub fn peer(request: &Request) -> IpAddr {
    let unknown = IpAddr::from([0, 0, 0, 0]);
    request
        .remote_addr()
        .as_socket_addr()
        .map_or(unknown, |address| address.ip().to_canonical())
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid => Self::unauthorized(),
            AuthError::AddressNotAllowed => Self::forbidden(
                "address_not_allowed",
                "This key may not be used from your address.",
            ),
            AuthError::Unavailable(error) => error.into(),
        }
    }
}

fn auth(request: &Request) -> Result<&Auth, ApiError> {
    // Put there by the table of routes; without it nobody is let in.
    request.data::<Auth>().ok_or_else(ApiError::internal)
}

fn schemes(registry: &mut Registry, bearer: &'static str) {
    let scheme = MetaSecurityScheme {
        ty: "http",
        description: Some(bearer),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme(BEARER, scheme);
}

impl<'a> ApiExtractor<'a> for TenantCaller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes(
            registry,
            "A key (`wk_live_…`, `wk_test_…`) or an access token of a login",
        );
        let scheme = MetaSecurityScheme {
            ty: "apiKey",
            description: Some("A key (`wk_live_…`, `wk_test_…`)"),
            name: Some("X-API-Key"),
            key_in: Some("header"),
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(API_KEY, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER, API_KEY]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let found = auth(request)?
            .authenticate(request.headers(), peer(request))
            .await;
        Ok(Self(found.map_err(ApiError::from)?))
    }
}

impl<'a, K: Kind> ApiExtractor<'a> for SuperadminCaller<K> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        schemes(
            registry,
            "A key (`wk_live_…`, `wk_test_…`) or an access token of a login",
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let admin = auth(request)?
            .superadmin(request.headers())
            .await
            .map_err(ApiError::from)?;
        let caller = Self {
            admin,
            address: peer(request),
            action: PhantomData,
        };
        caller.must_be_able_to(K::ACTION)?;
        Ok(caller)
    }
}

/// The peer's address as a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl<'a> ApiExtractor<'a> for Peer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];
    type ParamType = ();
    type ParamRawType = ();

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self(peer(request)))
    }
}

//! Who calls, as a parameter of an endpoint: a key or a token becomes a principal. Looks nothing up
//! itself; `auth` does.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use server_edge::doors::address::peer;
use server_rooms::accounts::{Actor, Scope, Superadmin};
use server_rooms::auth::roles::{Action, Kind, kind, may};
use server_rooms::auth::{Auth, AuthError, Principal, Role};
use shared::id::{SessionId, UserId};

use super::error::ApiError;

const BEARER: &str = "Bearer";
const API_KEY: &str = "ApiKey";

/// What a route of tenants asks of its caller. A test asks every route of the document as everybody.
pub trait Need: Send + Sync + 'static {
    /// What a key must be allowed to do.
    const SCOPE: Option<Scope>;
    /// Whether a person must run the tenant.
    const MANAGES: bool;
}

/// What routes ask.
pub mod need {
    use server_rooms::accounts::Scope;

    use super::Need;

    /// To be anybody of the tenant.
    #[derive(Debug, Clone, Copy)]
    pub struct Nothing;

    /// To read usage; members read their own.
    #[derive(Debug, Clone, Copy)]
    pub struct Usage;

    /// To call models, and to read what is kept of calls; members read their own.
    #[derive(Debug, Clone, Copy)]
    pub struct Calls;

    /// To read the ledger.
    #[derive(Debug, Clone, Copy)]
    pub struct Books;

    /// To make, change and revoke keys.
    #[derive(Debug, Clone, Copy)]
    pub struct Keys;

    impl Need for Nothing {
        const SCOPE: Option<Scope> = None;
        const MANAGES: bool = false;
    }

    impl Need for Usage {
        const SCOPE: Option<Scope> = Some(Scope::Usage);
        const MANAGES: bool = false;
    }

    impl Need for Calls {
        const SCOPE: Option<Scope> = Some(Scope::Inference);
        const MANAGES: bool = false;
    }

    impl Need for Books {
        const SCOPE: Option<Scope> = Some(Scope::Usage);
        const MANAGES: bool = true;
    }

    impl Need for Keys {
        const SCOPE: Option<Scope> = Some(Scope::Keys);
        const MANAGES: bool = true;
    }
}

/// A caller of `/api/v1` who may do `N`.
#[derive(Debug, Clone)]
pub struct TenantCaller<N: Need = need::Nothing> {
    /// Who.
    pub who: Arc<Principal>,
    /// From where.
    pub address: IpAddr,
    need: PhantomData<N>,
}

fn role_not_allowed() -> ApiError {
    ApiError::forbidden("role_not_allowed", "Your role does not allow this.")
}

impl<N: Need> TenantCaller<N> {
    /// Lets in whoever may do `N`.
    fn admit(who: Arc<Principal>, address: IpAddr) -> Result<Self, ApiError> {
        if let Some(scope) = N::SCOPE.filter(|scope| !who.scopes.has(*scope)) {
            return Err(ApiError::scope_missing(scope));
        }
        if N::MANAGES && who.role == Role::Member {
            return Err(role_not_allowed());
        }
        let need = PhantomData;
        Ok(Self { who, address, need })
    }

    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor::principal(&self.who, self.address)
    }

    /// The person whose records alone they may see; `None` for all of the tenant.
    pub fn own_records(&self) -> Option<&UserId> {
        match self.who.role {
            Role::Member => self.who.user.as_ref(),
            Role::Owner | Role::Admin => None,
        }
    }

    /// The same, for somebody who asks for the records of `wanted`.
    pub fn records_of(&self, wanted: Option<UserId>) -> Result<Option<UserId>, ApiError> {
        match (self.own_records(), wanted) {
            (None, wanted) => Ok(wanted),
            (Some(own), Some(wanted)) if wanted != *own => Err(role_not_allowed()),
            (Some(own), _) => Ok(Some(own.clone())),
        }
    }
}

/// A caller of `/admin/api` whose role may do `K`; what is not said is looking. A test asks every
/// route of the document as every role.
#[derive(Debug, Clone)]
pub struct SuperadminCaller<K: Kind = kind::Look> {
    /// Who.
    pub admin: Superadmin,
    /// The login of their token.
    pub session: SessionId,
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
            Err(role_not_allowed())
        }
    }

    /// As the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor::superadmin(&self.admin, self.address)
    }
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

fn bearer_scheme(registry: &mut Registry) {
    let scheme = MetaSecurityScheme {
        ty: "http",
        description: Some("A key (`wk_live_…`, `wk_test_…`) or an access token of a login"),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme(BEARER, scheme);
}

impl<'a, N: Need> ApiExtractor<'a> for TenantCaller<N> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        bearer_scheme(registry);
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
        let address = peer(request);
        let found = auth(request)?.authenticate(request.headers(), address);
        let who = found.await.map_err(ApiError::from)?;
        Ok(Self::admit(who, address)?)
    }
}

impl<'a, K: Kind> ApiExtractor<'a> for SuperadminCaller<K> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        bearer_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![BEARER]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let (admin, session) = auth(request)?
            .superadmin(request.headers())
            .await
            .map_err(ApiError::from)?;
        let caller = Self {
            admin,
            session,
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

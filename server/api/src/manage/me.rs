//! Who am I.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use crate::error::ApiError;
use crate::principal::TenantCaller;

/// The caller.
#[derive(Debug, Clone, Object)]
pub struct MeView {
    /// The tenant's id.
    pub tenant_id: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// The user's id, with a session.
    pub user_id: Option<String>,
    /// The user's name, with a session.
    pub username: Option<String>,
    /// The key's id, with a key.
    pub key_id: Option<String>,
    /// `owner`, `admin` or `member`; a key counts as an owner.
    pub role: String,
    /// Whether it is a `wk_test_` key.
    pub test: bool,
    /// What the caller may do: `inference`, `usage`, `keys`. People may what their role may.
    pub scopes: Vec<String>,
    /// The models the key may use; all when absent.
    pub allowed_models: Option<Vec<String>>,
}

/// The caller's own data.
#[derive(Debug, Clone, Copy)]
pub struct MeApi;

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Sessions")]
impl MeApi {
    /// Show the caller
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    #[expect(clippy::unused_async, reason = "poem-openapi has async handlers only")]
    async fn me(&self, caller: TenantCaller) -> Result<Json<MeView>, ApiError> {
        let who = caller.who;
        Ok(Json(MeView {
            tenant_id: who.tenant.to_string(),
            tenant_name: who.tenant_name.clone(),
            user_id: who.user.as_ref().map(ToString::to_string),
            username: who.username.clone(),
            key_id: who.key.as_ref().map(ToString::to_string),
            role: who.role.word().to_owned(),
            test: who.test,
            scopes: who.scopes.words().into_iter().map(str::to_owned).collect(),
            allowed_models: who.allowed_models.clone(),
        }))
    }
}

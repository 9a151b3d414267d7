//! What a tenant should know ahead: models that it uses and that end.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use server_edge::date;
use server_rooms::catalogue::Catalogue;
use server_rooms::catalogue::retirement::ModelNotice;

use super::Page;
use crate::error::ApiError;
use crate::principal::TenantCaller;

/// A model that ends.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct NoticeView {
    /// Always `model_retirement`.
    pub kind: String,
    /// The model that ends.
    pub model: String,
    /// From this moment on it takes no calls, in RFC 3339.
    pub retires_at: String,
    /// Whether that is over.
    pub retired: bool,
    /// Days until then, begun ones counted whole; 0 when it is over.
    pub days_left: u64,
    /// How many days ahead the last warning was: 30, 7 or 1.
    pub warning_days: u32,
    /// When you were warned last, in RFC 3339.
    pub warned_at: String,
    /// What to use instead, where your key may use it.
    pub successor: Option<String>,
    /// Whether that takes the calls afterwards, at its own price.
    pub redirect: bool,
}

/// Notices for tenants.
#[derive(Debug, Clone)]
pub struct NoticesApi {
    /// The models.
    pub catalogue: Catalogue,
}

#[OpenApi(prefix_path = "/api/v1", tag = "crate::Tag::Models")]
impl NoticesApi {
    /// List notices
    ///
    /// Models that you used in the last 30 days and that will be retired, the earliest first: announced 30
    /// days, 7 days and a day ahead, and for two weeks afterwards. Only those that your key may use.
    #[oai(path = "/notices", method = "get", operation_id = "list_notices")]
    async fn list(&self, caller: TenantCaller) -> Result<Json<Page<NoticeView>>, ApiError> {
        let who = &caller.who;
        let notices = self.catalogue.notices(&who.tenant).await?;
        let mine = notices.into_iter().filter(|one| who.may_use(&one.model));
        let told = mine.map(|one| self.told(one, &caller));
        Ok(Json(Page::whole(told)))
    }
}

impl NoticesApi {
    fn told(&self, notice: ModelNotice, caller: &TenantCaller) -> NoticeView {
        let next = notice.successor.as_deref();
        let next = next.and_then(|id| self.catalogue.model(id));
        let next = next.filter(|next| super::models::may_use(caller, next));
        NoticeView {
            kind: "model_retirement".to_owned(),
            model: notice.model,
            retires_at: date::text(notice.retires_at),
            retired: notice.is_over,
            days_left: notice.days_left,
            warning_days: notice.warned_days,
            warned_at: date::text(notice.warned_at),
            successor: next.map(|next| next.id.clone()),
            redirect: notice.redirect,
        }
    }
}

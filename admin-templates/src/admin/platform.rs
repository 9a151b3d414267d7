//! Superadmins, the audit log, settings and the platform's health.

use shared::clock::Moment;

use crate::chart::Chart;
use crate::fixtures::maker::sampled;
use crate::form::Form;
use crate::labels::{ActorKind, AdminRole, Health, MemberStatus, QueueName, SystemPart};
use crate::list::ListState;
use crate::parts::Fact;

sampled! {
    /// A superadmin.
    pub struct SuperadminRow {
        /// Their id.
        pub id: String,
        /// Their username.
        pub name: String,
        /// What they may do.
        pub role: AdminRole,
        /// Whether they may sign in.
        pub status: MemberStatus,
        /// Whether they sign in with a second factor.
        pub second_factor: bool,
        /// The one who is looking.
        pub own: bool,
        /// When they were last here.
        pub seen_at: Option<Moment>,
        /// When they were added.
        pub created_at: Moment,
    }

    /// `GET /admin/superadmins`. `POST /admin/superadmins` with `username`, `password`, `role`;
    /// `POST …/{id}/role` with `role`; `POST …/{id}/disable`, `/enable`, `/password`.
    pub struct SuperadminList {
        /// All of them.
        pub rows: Vec<SuperadminRow>,
        /// A new one.
        pub add: Form,
    }

    /// A change in the list.
    pub struct AuditRow {
        /// Its id.
        pub id: String,
        /// When.
        pub at: Moment,
        /// What kind of actor.
        pub actor_kind: ActorKind,
        /// Their name at that time.
        pub actor: String,
        /// From where.
        pub address: String,
        /// `tenant.create`, `key.revoke` and the like.
        pub action: String,
        /// The id of what was changed.
        pub subject: String,
        /// Its name, where the entry tells it.
        pub subject_name: String,
        /// Where it is, a path below `/admin`; empty where it has no page.
        pub subject_path: String,
        /// The name of the tenant it is about.
        pub tenant: String,
        /// The tenant's id; empty where it is about none.
        pub tenant_id: String,
        /// An amount or a number that belongs into the sentence.
        pub value: String,
    }

    /// `GET /admin/audit`. Filters `actor`, `action`, `subject`, `from`, `to`. The same query on
    /// `/admin/audit.csv` is the export.
    pub struct AuditLog {
        /// How it is looked at.
        pub list: ListState,
        /// A page of changes, newest first.
        pub rows: Vec<AuditRow>,
    }

    /// A field that changed.
    pub struct ChangeRow {
        /// Its name.
        pub field: String,
        /// How it was; `None` when it was not there.
        pub before: Option<String>,
        /// How it is; `None` when it is gone.
        pub after: Option<String>,
    }

    /// `GET /admin/audit/{id}`.
    pub struct AuditDetail {
        /// What stands in the list.
        pub row: AuditRow,
        /// Whose tenant it is about.
        pub tenant_id: Option<String>,
        /// Field by field.
        pub changes: Vec<ChangeRow>,
    }

    /// `GET /admin/settings`. `POST …/security` with `idle_minutes`, `absolute_hours`,
    /// `require_second_factor`; `POST …/retention` with `usage_days`, `audit_days`,
    /// `delete_grace_days`; `POST …/announcement` with `announcement`; `POST …/calendar` with
    /// `time_zone`; `POST …/tenants` with `credits`, `requests_per_minute`, `tokens_per_minute`, `factor`.
    pub struct Settings {
        /// Sessions and the second factor.
        pub security: Form,
        /// How long things are kept.
        pub retention: Form,
        /// A line that everybody sees.
        pub announcement: Form,
        /// Where days begin.
        pub calendar: Form,
        /// What new tenants begin with.
        pub tenants: Form,
        /// When end users are suspended: `POST …/end-users` with `flagged_prompts` and `suspended_hours`.
        pub end_users: Form,
    }

    /// A part of the platform.
    pub struct CheckRow {
        /// Which.
        pub part: SystemPart,
        /// Whether it works.
        pub health: Health,
        /// How long its answer took, in milliseconds.
        pub latency_ms: u64,
        /// More about it.
        pub detail: String,
    }

    /// A bounded queue.
    pub struct QueueRow {
        /// Which.
        pub name: QueueName,
        /// How many wait.
        pub waiting: u64,
        /// How many may wait.
        pub bound: u64,
    }

    /// `GET /admin/health`.
    pub struct SystemHealth {
        /// Of the whole.
        pub health: Health,
        /// The server's version.
        pub version: String,
        /// Since when it has been up.
        pub started_at: Moment,
        /// Part by part.
        pub checks: Vec<CheckRow>,
        /// Bounded queues.
        pub queues: Vec<QueueRow>,
        /// Database, cache, storage and the like.
        pub facts: Vec<Fact>,
        /// Commits of the ledger by milliseconds; shown as lines.
        pub commits: Chart,
    }
}

//! What each role of a superadmin may do: the one table that the API and the pages ask. Pure; asks
//! no database and knows no HTTP.

pub use server_store::accounts::AdminRole;

/// Declares the actions and, for each, a type that names it in a handler's signature.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident),+ $(,)?) => {
        /// What a superadmin wants to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action { $($(#[$doc])* $action),+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$action),+];
        }

        /// The actions as types: a caller taken as `Allowed<kind::…>` is one who may do it.
        pub mod kind {
            use super::{Action, Kind};

            $(
                $(#[$doc])*
                #[derive(Debug, Clone, Copy)]
                pub struct $action;

                impl Kind for $action {
                    const ACTION: Action = Action::$action;
                }
            )+
        }
    };
}

/// An action as a type.
pub trait Kind: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
}

actions! {
    /// See anything that pages and lists show.
    Look,
    /// Add, rename, limit, suspend and delete tenants.
    EditTenants,
    /// Add, change and remove tenants' people.
    EditPeople,
    /// Open a tenant's portal as one of its people, to look.
    OpenPortals,
    /// Make and revoke tenants' keys.
    EditKeys,
    /// Add and change models and their targets.
    EditModels,
    /// Add and change providers and their keys.
    EditProviders,
    /// Name gateways, and take them in and out.
    EditGateways,
    /// Say where gateways are and what opens them: prompts and secrets go there.
    AddGateways,
    /// Tell nobody of an alert for a while.
    MuteAlerts,
    /// Write the line that everybody sees.
    Announce,
    /// Set prices, what calls cost, and tenants' multipliers.
    SetPrices,
    /// Give, take and adjust credits, and set budgets.
    MoveCredits,
    /// Add, change and shut out superadmins.
    EditSuperadmins,
    /// Change the settings of the platform.
    EditSettings,
}

/// Whether a superadmin of `role` may do `action`. The owner may do everything, the operator all but
/// money, superadmins, settings and adding gateways, finance money and looking, read-only looking.
pub const fn may(role: AdminRole, action: Action) -> bool {
    match action {
        Action::Look => match role {
            AdminRole::Owner | AdminRole::Operator | AdminRole::Finance | AdminRole::ReadOnly => {
                true
            }
        },
        Action::EditTenants
        | Action::EditPeople
        // Whoever may give somebody a new password could sign in as them; this shows less.
        | Action::OpenPortals
        | Action::EditKeys
        | Action::EditModels
        | Action::EditProviders
        | Action::EditGateways
        | Action::MuteAlerts
        | Action::Announce => match role {
            AdminRole::Owner | AdminRole::Operator => true,
            AdminRole::Finance | AdminRole::ReadOnly => false,
        },
        Action::SetPrices | Action::MoveCredits => match role {
            AdminRole::Owner | AdminRole::Finance => true,
            AdminRole::Operator | AdminRole::ReadOnly => false,
        },
        Action::AddGateways | Action::EditSuperadmins | Action::EditSettings => match role {
            AdminRole::Owner => true,
            AdminRole::Operator | AdminRole::Finance | AdminRole::ReadOnly => false,
        },
    }
}

#[cfg(test)]
mod tests;

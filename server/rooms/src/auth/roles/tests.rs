//! The table of what each role may do, against the rules.

use super::*;

#[test]
fn each_role_may_do_what_the_product_promises_and_nothing_else() {
    let may_all = |role| -> Vec<Action> {
        let all = Action::ALL.iter().copied();
        all.filter(|action| may(role, *action)).collect()
    };
    assert_eq!(may_all(AdminRole::Owner), Action::ALL);
    assert_eq!(
        may_all(AdminRole::Operator),
        [
            Action::Look,
            Action::EditTenants,
            Action::EditPeople,
            Action::OpenPortals,
            Action::EditKeys,
            Action::EditModels,
            Action::EditProviders,
            Action::EditGateways,
            Action::MuteAlerts,
            Action::Announce
        ]
    );
    assert_eq!(
        may_all(AdminRole::Finance),
        [Action::Look, Action::SetPrices, Action::MoveCredits]
    );
    assert_eq!(may_all(AdminRole::ReadOnly), [Action::Look]);
}

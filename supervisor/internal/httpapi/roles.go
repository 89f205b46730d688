package httpapi

import (
	"fmt"
	"slices"
	"strings"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// Role says what the bearer of a token may do.
type Role string

// Roles.
const (
	RoleAdmin  Role = "admin"  // everything
	RoleSubmit Role = "submit" // submit tasks, wait for them, cancel them
	RoleRead   Role = "read"   // look at everything, change nothing
)

// Validate says which roles there are unless r is one.
func (r Role) Validate() error {
	switch r {
	case RoleAdmin, RoleSubmit, RoleRead:
		return nil
	}
	return fmt.Errorf("role: %q is none of admin, submit, read", string(r))
}

var (
	submitting = []Role{RoleSubmit, RoleAdmin}
	reading    = []Role{RoleRead, RoleAdmin}
	asking     = []Role{RoleRead, RoleSubmit, RoleAdmin}
	ruling     = []Role{RoleAdmin}
)

// rules say who may call what. What is not here is refused to every token.
var rules = map[string][]Role{
	broodv1.TaskServiceSubmitProcedure:       submitting,
	broodv1.TaskServiceSubmitBatchProcedure:  submitting,
	broodv1.TaskServiceSubmitStreamProcedure: submitting,
	broodv1.TaskServiceCancelProcedure:       submitting,
	broodv1.TaskServiceGetProcedure:          asking,
	broodv1.TaskServiceWaitProcedure:         asking,
	broodv1.TaskServiceWaitManyProcedure:     asking,

	broodv1.DeadLetterServiceListProcedure:  reading,
	broodv1.DeadLetterServiceGetProcedure:   reading,
	broodv1.DeadLetterServiceRetryProcedure: ruling,
	broodv1.DeadLetterServicePurgeProcedure: ruling,

	broodv1.AdminServiceListPoolsProcedure:     reading,
	broodv1.AdminServiceListWorkersProcedure:   reading,
	broodv1.AdminServiceWatchEventsProcedure:   reading,
	broodv1.AdminServiceRecycleWorkerProcedure: ruling,
	broodv1.AdminServiceScalePoolProcedure:     ruling,
	broodv1.AdminServicePausePoolProcedure:     ruling,
	broodv1.AdminServiceResumePoolProcedure:    ruling,
	broodv1.AdminServiceDrainProcedure:         ruling,
	broodv1.AdminServiceReloadProcedure:        ruling,
}

func (r Role) may(procedure string) bool { return slices.Contains(rules[procedure], r) }

// whoMay names the roles that may call a procedure.
func whoMay(procedure string) string {
	var names []string
	for _, r := range rules[procedure] {
		names = append(names, string(r))
	}
	return strings.Join(names, " or ")
}

import { ValidationError } from "../../../errors.ts";
import { direct, type DirectOperation } from "../../../framework/operation.ts";
import {
  ApprovalParameters,
  DecidedOutput,
  EditParameters,
  PendingOutput,
  PendingParameters,
  RejectionParameters,
} from "./approval.ts";
import { APPROVAL_EXAMPLE, EDIT_EXAMPLE, REJECTION_EXAMPLE } from "../examples.ts";
import type { CustomerFeedbackWorkflow } from "../customer-feedback-workflow.ts";

const forPeople = { audience: "person", scope: "approve" } as const;

/** The approval queue of the workflow: for people, never for models. */
export const approvalOperations = (
  workflow: Pick<
    CustomerFeedbackWorkflow,
    "getPendingResponse" | "approveResponse" | "editResponse" | "rejectResponse" | "getWorkflowStatus"
  >,
): DirectOperation[] => [
  direct("get_pending_response", {
    description: "Show the email that a run waits to send, exactly as it would go out.",
    ...forPeople,
    approval: "show",
    input: PendingParameters,
    output: PendingOutput,
    run: async ({ workflow_id }) => {
      const pending = await workflow.getPendingResponse(workflow_id);
      if (pending) return pending;
      const { status } = await workflow.getWorkflowStatus(workflow_id);
      throw new ValidationError(`No email of this run is waiting for a person: the run's status is ${status}.`, {
        code: "nothing_waits",
      });
    },
  }),
  direct("approve_response", {
    description: "Approve exactly this email, which then goes out.",
    ...forPeople,
    approval: "approve",
    writes: true,
    example: APPROVAL_EXAMPLE,
    input: ApprovalParameters,
    output: DecidedOutput,
    run: ({ workflow_id, ...approval }) => workflow.approveResponse(workflow_id, approval),
  }),
  direct("edit_response", {
    description: "Replace the email's text, and send it to the same recipient.",
    ...forPeople,
    approval: "edit",
    writes: true,
    example: EDIT_EXAMPLE,
    input: EditParameters,
    output: DecidedOutput,
    run: ({ workflow_id, ...edit }) => workflow.editResponse(workflow_id, edit),
  }),
  direct("reject_response", {
    description: "Reject the email. The run completes without sending it.",
    ...forPeople,
    approval: "reject",
    writes: true,
    example: REJECTION_EXAMPLE,
    input: RejectionParameters,
    output: DecidedOutput,
    run: ({ workflow_id, ...rejection }) => workflow.rejectResponse(workflow_id, rejection),
  }),
];

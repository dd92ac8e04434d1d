// One day with the app, told through a client that a public generator has made of its swagger document.
//
// Every operation is called at least once, with the types that the document promises: a field that is not declared
// does not compile. `record` notes each call; tests/host/test_generated_client.py compares them with the document, so
// an operation that is new there wants a line here.

import * as sdk from "./generated/sdk.gen";
import { client } from "./generated/client.gen";
import { zDiagnosisBody } from "./generated/zod.gen";

export interface World {
  api: string;
  token: string;
  control: string;
  missed: string;
  byHand: string;
  seconds: number;
}

interface Call {
  operation: string;
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

type Sdk = typeof sdk;
type Answered<T> = Promise<{ data?: T; error?: unknown; response?: Response }>;

const SHOWN = ["etag", "location", "retry-after"];

/** The client, which notes what each call was answered. */
function recorded(calls: Call[]): Sdk {
  const note = (name: string, call: (options?: never) => Answered<unknown>) => async (options?: never) => {
    const answer = await call(options);
    const operation = name.charAt(0).toUpperCase() + name.slice(1);
    const headers = [...(answer.response?.headers ?? [])].filter(([each]) => SHOWN.includes(each));
    calls.push({
      operation,
      status: answer.response?.status ?? 0,
      headers: Object.fromEntries(headers),
      body: answer.data ?? answer.error,
    });
    return answer;
  };
  const noted = Object.entries(sdk).map(([name, call]) => [name, note(name, call as never)]);
  return Object.fromEntries(noted) as Sdk;
}

/** What a call gave. Throws where it gave nothing, or a problem. */
async function given<T>(call: Answered<T>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) throw new Error(`${response?.url} ${response?.status}: ${JSON.stringify(error)}`);
  return data;
}

export async function told(world: World): Promise<Call[]> {
  const calls: Call[] = [];
  const api = recorded(calls);
  client.setConfig({ baseUrl: world.api, auth: () => world.token });

  const until = async <T>(look: () => Promise<T | undefined>, what: string): Promise<T> => {
    const end = Date.now() + world.seconds * 1000;
    while (Date.now() < end) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise((go) => setTimeout(go, 200));
    }
    throw new Error(`never happened: ${what}`);
  };

  // The app itself may save a case in between, to note that people were told: then the answer is to read it again.
  const insisted = <T>(call: () => Answered<T>): Promise<T> =>
    until(async () => {
      const answer = call();
      return [409, 412].includes((await answer).response?.status ?? 0) ? undefined : given(answer);
    }, "the case has just changed, again and again");

  // What is there before anything is looked for.
  const health = await given(api.getHealth());
  await given(api.getSwagger());
  const causes = await given(api.listCauses());
  const states = await given(api.listStates());
  await given(api.listTargets({ query: { scope: "environment" } }));
  await given(api.listActions());
  const policy = await given(api.getPolicy());
  await given(api.validatePolicy({ body: { policy: { surge: policy.surge } } }));
  await given(api.explainMessages({ body: { messages: [{ text: "AADSTS700082" }] } }));

  // A flow subscribes and unsubscribes, before there is anything to call it for.
  const flow = { callback_url: "https://prod-01.westeurope.logic.azure.com/workflows/x", state: "needs_person" } as const;
  const { id } = await given(api.whenACaseNeedsAPerson({ body: flow }));
  await given(api.listWebhooks());
  await given(api.endWebhook({ path: { webhook_id: id } }));

  // A sweep finds what is stuck: too much at once, by this policy.
  await given(api.startSweep({ headers: { "Idempotency-Key": "first-sweep" } }));
  const sweeps = await given(api.listSweeps({ query: { limit: 1 } }));
  await given(api.getSweep({ path: { sweep_id: sweeps.sweeps[0].id } }));
  const hold = await until(async () => (await given(api.getControls())).hold ?? undefined, "a hold");
  const cases = await until(async () => {
    const page = await given(api.listCases({ query: { limit: 200 } }));
    return page.cases.length === 2 ? page.cases : undefined;
  }, "both cases");
  await given(api.confirmHold({ path: { hold_id: hold.id } }));
  await given(api.listProviders());
  await given(api.getSummary());
  await given(api.getBaseline());
  await given(api.decideStock({ body: { decision: "adopt", filter: { cause: "trigger_missed" }, reason: "Known." } }));

  // Whom it is about, and what it rests on.
  const missed = cases.find((each) => each.subscription_id === world.missed)!;
  const byHand = cases.find((each) => each.subscription_id === world.byHand)!;
  const path = { case_id: byHand.id };
  await given(api.diagnose({ body: { subscription_id: world.missed } }));
  await given(api.getCase({ path }));
  await given(api.getTimeline({ path }));
  await given(api.getEvidence({ path }));
  const { tenant_id } = await given(api.getEscalation({ path: { case_id: missed.id } }));
  await given(api.checkProvider({ body: { tenant_id: tenant_id! } }));

  // People look after one of them.
  await insisted(() => api.claimCase({ path }));
  await insisted(() => api.assignCase({ path, body: { assignee: "Ann" } }));
  await insisted(() => {
    const headers = { "Idempotency-Key": `note-${calls.length}` }; // a refusal is kept for its key, too
    return api.addNote({ path, body: { text: "Called the customer." }, headers });
  });
  await insisted(() => api.linkTicket({ path, body: { ticket: "INC-4711", url: "https://tickets.example/INC-4711" } }));
  await insisted(() => api.unlinkTicket({ path }));
  await insisted(() => api.releaseCase({ path }));

  // The app is told to leave it alone, and then no longer.
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const wish = { target: world.byHand, reason: "An invoice run.", until: inAnHour };
  const { pauses } = await given(api.addPause({ body: { scope: "subscription", ...wish } }));
  await given(api.endPause({ path: { pause_id: pauses[0].id } }));
  const { mutes } = await given(api.addMute({ body: { scope: "subscription", ...wish } }));
  await given(api.endMute({ path: { mute_id: mutes[0].id } }));

  // An action that no diagnosis offers is asked for, and taken back.
  const values = { provisioned_on: new Date().toISOString() };
  const wanted = { action: "mark_provisioned", values, reason: "Done by phone." } as const;
  await insisted(() => api.askForAction({ path, body: wanted }));
  await insisted(() => api.withdrawRequest({ path }));

  // A yes to exactly the plan that is shown, once people were told: noting that saves the case, too.
  const freed = { case_id: missed.id };
  await until(async () => {
    const shown = await given(api.getCase({ path: freed }));
    return shown.timeline.some((event) => event.kind === "told") || undefined;
  }, "people are told");
  const { approvals } = await given(api.listApprovals({ query: { limit: 50 } }));
  const waiting = approvals.find((each) => each.id === missed.id)!;
  await insisted(async () => {
    const { plan } = await given(api.getPlan({ path: freed }));
    if (waiting.plan?.digest !== plan!.digest) throw new Error("two plans for one case");
    const headers = { "If-Match": calls.at(-1)!.headers["etag"] };
    return api.remediate({ path: freed, body: { plan_digest: plan!.digest }, headers });
  });
  await until(async () => {
    const { state } = await given(api.getCase({ path: freed }));
    return state === "resolved" || undefined;
  }, "the change is provisioned");

  // Dataverse holds its answer back: the work goes to the queue, and its address ends in what was asked for.
  const held = { target: "dataverse", answer: { kind: "held" }, times: null };
  await fetch(`${world.control}/faults`, { method: "POST", body: JSON.stringify(held) });
  await given(api.diagnose({ body: { subscription_id: world.byHand } }));
  const operation = { operation_id: calls.at(-1)!.headers["location"].split("/").at(-1)! };
  await given(api.getOperation({ path: operation }));
  await fetch(`${world.control}/faults`, { method: "DELETE" });
  await until(async () => {
    await given(api.getOperation({ path: operation }));
    return calls.at(-1)!.status === 200 || undefined;
  }, "the operation ends");
  const late = zDiagnosisBody.parse(calls.at(-1)!.body);
  if (late.case?.id !== byHand.id) throw new Error("the operation ended in something else");

  if (health.status !== "ok" || causes.values.length === 0 || states.values.length === 0) throw new Error("not ready");
  return calls;
}

// Runs a JavaScript handler in the user's own Node (16 or later): no packages, CommonJS and ES modules.
//
// The node gives events over the socket whose descriptor is in OUTDIAL_FD and takes replies from it; stdout and stderr are the handler's.
// A frame is a 4-byte big-endian length and a body: a JSON header and, after a line feed, the event's or the reply's JSON as it is.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";

const MAX_TEXT = 10000;
const SUFFIXES = ["", ".js", ".mjs", ".cjs"];
const started = performance.now();

const socket = new net.Socket({ fd: Number(process.env.OUTDIAL_FD), readable: true, writable: true });
delete process.env.OUTDIAL_FD;
process.env.AWS_EXECUTION_ENV ??= `AWS_Lambda_nodejs${process.versions.node.split(".")[0]}.x`;

let init = null;
let handler = null;
let current = null; // the event that is not answered yet

function send(header, text = "", then = undefined) {
  const body = Buffer.from(JSON.stringify(header) + "\n" + text);
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, 4);
  socket.write(frame, then);
}

// The first answer to an event counts; the loop is kept alive by the socket between events only, so that one that is never
// answered because nothing is left to run is noticed ("beforeExit").
function finish(event, header, text) {
  if (event !== current) return;
  current = null;
  socket.ref();
  send({ ...header, id: event.id }, text);
}

function reply(event, value) {
  if (event !== current) return;
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) finish(event, { type: "reply", too_deep: true });
    else fail(event, error);
    return;
  }
  if (text === undefined) text = "null";
  if (text.length > init.max_reply || Buffer.byteLength(text) > init.max_reply) finish(event, { type: "reply", too_long: true });
  else finish(event, { type: "reply" }, text);
}

function fail(event, error) {
  if (event === current) finish(event, { type: "error", ...describe(error) });
}

function describe(error) {
  try {
    if (error instanceof Error || (error && typeof error.stack === "string")) {
      const frames = String(error.stack).split("\n").filter((line) => !line.includes(import.meta.url) && !/\(?node:/.test(line));
      return {
        error_type: String(error.name ?? "Error").slice(0, 200),
        message: String(error.message).slice(0, MAX_TEXT),
        frames: frames.join("\n").slice(0, MAX_TEXT),
      };
    }
    const text = typeof error === "string" ? error : JSON.stringify(error) ?? String(error);
    return { error_type: typeof error === "string" ? "string" : "Error", message: text.slice(0, MAX_TEXT) };
  } catch {
    return { error_type: "Error", message: "(its message could not be made)" };
  }
}

function contextOf(fields, event) {
  const done = (error, value) => (error ? fail(event, error) : reply(event, value));
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: fields.aws_request_id,
    functionName: fields.function_name,
    functionVersion: fields.function_version,
    invokedFunctionArn: fields.invoked_function_arn,
    memoryLimitInMB: String(fields.memory_limit_in_mb),
    logGroupName: fields.log_group_name,
    logStreamName: fields.log_stream_name,
    identity: undefined,
    clientContext: undefined,
    getRemainingTimeInMillis: () => Math.max(0, fields.deadline_ms - Date.now()),
    done,
    succeed: (value) => reply(event, value),
    fail: (error) => fail(event, error ?? new Error("context.fail was called")),
  };
}

function run(header, text) {
  const event = { id: header.id };
  current = event;
  socket.unref();
  const context = contextOf(header.context, event);
  try {
    const result = handler(JSON.parse(text), context, context.done);
    if (result !== null && typeof result === "object" && typeof result.then === "function") {
      result.then((value) => reply(event, value), (error) => fail(event, error ?? new Error("rejected with nothing")));
    }
  } catch (error) {
    fail(event, error ?? new Error("threw nothing"));
  }
}

process.on("beforeExit", () => {
  if (current) reply(current, undefined);
});

// As in Lambda, what nobody caught ends the process; the event that it happened in learns of it.
function uncaught(error) {
  const exit = () => process.exit(1);
  if (current) {
    current = null;
    send({ type: "fatal", ...describe(error) }, "", exit);
    setTimeout(exit, 1000);
  } else {
    console.error(error);
    exit();
  }
}
process.on("uncaughtException", uncaught);
process.on("unhandledRejection", uncaught);

function locate(target, name) {
  if (!statSync(target).isDirectory()) return { folder: path.dirname(target), file: target, names: name.split(".") };
  const folder = path.join(target, path.dirname(name));
  const [module, ...names] = path.basename(name).split(".");
  if (!names.length) throw new Error(`"${name}" names no function: in a folder a handler is MODULE.NAME`);
  for (const suffix of SUFFIXES) {
    const file = path.join(folder, module + suffix);
    if (existsSync(file) && statSync(file).isFile()) return { folder: target, file, names };
  }
  throw new Error(`there is no ${module}.js, .mjs or .cjs in ${folder}`);
}

async function load() {
  const { folder, file, names } = locate(init.target, init.handler);
  process.chdir(folder);
  const module = await import(pathToFileURL(file).href);
  for (const root of [module, module.default]) {
    let found = root;
    for (const name of names) found = found?.[name];
    if (typeof found === "function") return found;
  }
  throw new Error(`${file} exports no function ${names.join(".")}`);
}

// File and line that an error of loading points to. A syntax error does not say where it is: Node's own check does.
function place(error) {
  if (error instanceof SyntaxError) return placeOfSyntaxError();
  const text = String(error?.stack ?? "").split("\n").filter((line) => !/node:/.test(line)).join("\n").replaceAll(import.meta.url, "");
  const frame = /(?:file:\/\/)?(\/[^\s():]+):(\d+)/.exec(text);
  if (frame) return { file: frame[1], line: Number(frame[2]) };
  const file = error?.requireStack?.[0] ?? / imported from (\/.+)/.exec(text)?.[1];
  return file ? { file } : {};
}

function placeOfSyntaxError() {
  const { folder, file } = locate(init.target, init.handler);
  const others = readdirSync(folder).filter((name) => /\.[cm]?js$/.test(name)).map((name) => path.join(folder, name));
  for (const one of [file, ...others].slice(0, 20)) {
    const { status, stderr } = spawnSync(process.execPath, ["--check", one], { encoding: "utf8", timeout: 5000 });
    const line = /:(\d+)\n/.exec(stderr ?? "");
    if (status !== 0) return line ? { file: one, line: Number(line[1]) } : { file: one };
  }
  return {};
}

async function begin(header) {
  init = header;
  try {
    handler = await load();
  } catch (error) {
    send({ type: "failed", ...describe(error), ...place(error) }, "", () => process.exit(1));
    return;
  }
  send({ type: "ready", load_ms: performance.now() - started, version: `Node ${process.version}` });
}

let buffered = [];
let size = 0;
socket.on("data", (data) => {
  buffered.push(data);
  size += data.length;
  while (size >= 4) {
    if (buffered.length > 1) buffered = [Buffer.concat(buffered)];
    const end = 4 + buffered[0].readUInt32BE(0);
    if (size < end) return;
    const body = buffered[0].subarray(4, end);
    buffered = [buffered[0].subarray(end)];
    size -= end;
    const cut = body.indexOf(10);
    const header = JSON.parse(body.toString("utf8", 0, cut));
    if (header.type === "event") run(header, body.toString("utf8", cut + 1));
    else begin(header);
  }
});
socket.on("end", () => process.exit(0));
socket.on("error", () => process.exit(1));

// Run with the AWS SDK for JavaScript v3: an ordinary program, with nothing changed but the endpoint (AWS_ENDPOINT_URL_CHIME_SDK_VOICE).
// It prints one JSON object: what each step saw.
import * as sdk from "@aws-sdk/client-chime-sdk-voice";

const voice = new sdk.ChimeSDKVoiceClient({ region: "us-east-1" });
const send = (name, input) => voice.send(new sdk[`${name}Command`](input));
const status = (output) => output.$metadata.httpStatusCode;
const seen = {};

const [number] = (await send("SearchAvailablePhoneNumbers", { MaxResults: 1 })).E164PhoneNumbers;
const order = await send("CreatePhoneNumberOrder", { ProductType: "SipMediaApplicationDialIn", E164PhoneNumbers: [number] });
seen.order = [status(order), order.PhoneNumberOrder.CreatedTimestamp instanceof Date, order.$metadata.requestId.length];
const orders = await send("ListPhoneNumberOrders", {});
seen.orders = orders.PhoneNumberOrders.map((one) => one.UpdatedTimestamp instanceof Date);

const arn = "arn:aws:lambda:us-east-1:111122223333:function:reminder";
let made;
for (let n = 0; n < 3; n++) {
  made = await send("CreateSipMediaApplication", { AwsRegion: "us-east-1", Name: `number ${n}`, Endpoints: [{ LambdaArn: arn }] });
}
const SipMediaApplicationId = made.SipMediaApplication.SipMediaApplicationId;
seen.application = [status(made), made.SipMediaApplication.CreatedTimestamp instanceof Date];
seen.pages = 0;
for await (const page of sdk.paginateListSipMediaApplications({ client: voice, pageSize: 1 }, {})) seen.pages += page.SipMediaApplications.length;

const call = { SipMediaApplicationId, FromPhoneNumber: number, ToPhoneNumber: "+12065550150" };
const placed = await send("CreateSipMediaApplicationCall", { ...call, ArgumentsMap: { who: "é😀" }, SipHeaders: { "X-Order": "17" } });
seen.transaction = placed.SipMediaApplicationCall.TransactionId;
seen.placed = status(placed);
seen.updated = status(
  await send("UpdateSipMediaApplicationCall", { SipMediaApplicationId, TransactionId: seen.transaction, Arguments: {} }),
);

const { PhoneNumber } = await send("GetPhoneNumber", { PhoneNumberId: number });
const again = await send("GetPhoneNumber", { PhoneNumberId: PhoneNumber.PhoneNumberId });
seen.number = [again.PhoneNumber.E164PhoneNumber === number, PhoneNumber.CreatedTimestamp instanceof Date];
seen.deleted = status(await send("DeletePhoneNumber", { PhoneNumberId: number }));
const restored = await send("RestorePhoneNumber", { PhoneNumberId: number });
seen.restored = [restored.PhoneNumber.Status, restored.PhoneNumber.UpdatedTimestamp instanceof Date];

seen.errors = [];
for (const [name, input, type] of [
  ["CreateSipMediaApplicationCall", { ...call, ToPhoneNumber: "911" }, "ForbiddenException"],
  ["CreateSipMediaApplicationCall", { ...call, ToPhoneNumber: 123 }, "BadRequestException"],
  ["GetSipMediaApplication", { SipMediaApplicationId: "a b/é☎!*'()" }, "NotFoundException"],
  ["GetSipRule", { SipRuleId: "" }, "ForbiddenException"],
]) {
  try {
    await send(name, input);
  } catch (error) {
    seen.errors.push([error.name, error instanceof sdk[type], error.Code, error.message, error.$metadata.httpStatusCode, error.$metadata.attempts]);
  }
}
console.log(JSON.stringify(seen));

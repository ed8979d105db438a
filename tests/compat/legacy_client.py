"""Run by botocore 1.37.1 in an environment of its own: an old program, with nothing changed but the endpoint (AWS_ENDPOINT_URL_CHIME).

It prints one JSON object: what each step saw.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import botocore
from botocore.exceptions import ClientError, ParamValidationError

seen: dict[str, Any] = {"botocore": botocore.__version__}
chime = boto3.client("chime", region_name="us-west-2")

found = chime.search_available_phone_numbers(AreaCode="206", MaxResults=2)
seen["found"] = found["E164PhoneNumbers"]
order = chime.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=seen["found"][:1])
seen["order"] = order["PhoneNumberOrder"]["Status"]
number = chime.get_phone_number(PhoneNumberId=chime.list_phone_numbers()["PhoneNumbers"][0]["PhoneNumberId"])["PhoneNumber"]
seen["number"] = {"E164PhoneNumber": number["E164PhoneNumber"], "year": number["CreatedTimestamp"].year}

arn = "arn:aws:lambda:us-west-2:111122223333:function:reminder"
made = chime.create_sip_media_application(AwsRegion="us-west-2", Name="reminders", Endpoints=[{"LambdaArn": arn}])
application = made["SipMediaApplication"]["SipMediaApplicationId"]
seen["listed"] = [one["Name"] for one in chime.list_sip_media_applications(MaxResults=99)["SipMediaApplications"]]
call = {"SipMediaApplicationId": application, "FromPhoneNumber": number["E164PhoneNumber"], "ToPhoneNumber": "+12065550150"}
placed = chime.create_sip_media_application_call(**call, SipHeaders={"X-Order": "17"})
seen["created"] = placed["ResponseMetadata"]["HTTPStatusCode"]
transaction = placed["SipMediaApplicationCall"]["TransactionId"]
seen["transaction"] = transaction
updated = chime.update_sip_media_application_call(SipMediaApplicationId=application, TransactionId=transaction, Arguments={"k": "v"})
seen["updated"] = updated["ResponseMetadata"]["HTTPStatusCode"]

try:
    chime.create_sip_media_application_call(**call, ArgumentsMap={"k": "v"})
except ParamValidationError:
    seen["arguments_map"] = "refused by the client"
try:
    chime.create_sip_media_application_call(**{**call, "ToPhoneNumber": "911"})
except chime.exceptions.ForbiddenException as error:
    seen["forbidden"] = {name: error.response[name] for name in ("Error", "Code", "Message")}
try:
    chime.create_phone_number_order(ProductType="BusinessCalling", E164PhoneNumbers=seen["found"])
except chime.exceptions.BadRequestException as error:
    seen["business_calling"] = error.response["Message"]
try:
    chime.create_account(Name="x")
except ClientError as error:
    seen["not_served"] = error.response["Error"]
chime.delete_phone_number(PhoneNumberId=number["PhoneNumberId"])
chime.delete_sip_media_application(SipMediaApplicationId=application)
seen["left"] = chime.list_sip_media_applications()["SipMediaApplications"]

voice = boto3.client("chime-sdk-voice", region_name="us-west-2", endpoint_url=chime.meta.endpoint_url)
seen["current_namespace"] = voice.list_sip_media_applications()["ResponseMetadata"]["HTTPStatusCode"]
print(json.dumps(seen))

"""Reads a shop's events from NATS JetStream as CloudEvents, and places an order from outside.

python shop.py read orders                          every message of a topic, one JSON object a line, without end
python shop.py read orders --count 3                only the first three
python shop.py place --sku 85123A --quantity 2      sends order.place to the door orders-in

The server is that of WAYBILL_NATS_URL, else nats://127.0.0.1:4222.
"""

import argparse
import asyncio
import json
import os
import time
import uuid
from urllib.parse import quote, unquote

import nats
from nats.errors import TimeoutError as NothingCame

ATTRIBUTE = "ce-"


def cloud_event(msg):
    """A message as CloudEvents 1.0 writes it in JSON. Attributes are headers, and their values percent-encoded."""
    headers = msg.headers or {}
    event = {
        name.lower().removeprefix(ATTRIBUTE): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith(ATTRIBUTE)
    }
    return {**event, "data": json.loads(msg.data)}


async def read(js, topic, count):
    """Prints a topic from its first message on. A topic is a stream of that name, a partition a subject of it."""
    subscription = await js.pull_subscribe(f"{topic}.*.>", stream=topic)
    seen = 0
    while count is None or seen < count:
        try:
            messages = await subscription.fetch(100 if count is None else min(100, count - seen), timeout=5)
        except NothingCame:
            continue
        for msg in messages:
            print(json.dumps(cloud_event(msg)), flush=True)
            await msg.ack()
        seen += len(messages)


async def place(js, sku, quantity, order_id):
    """Sends an order, and prints its id once the server has it.

    The same message may be sent again until it is confirmed: an order with the same id and content is one order.
    """
    order = {
        "orderId": order_id,
        "placedAtMs": int(time.time() * 1000),
        "customer": {"id": "example", "email": "ann@example.org"},
        "currency": "GBP",
        "payment": {"token": "tok_approved"},
        "lines": [{"sku": sku, "quantity": quantity}],
    }
    attributes = {
        "specversion": "1.0",
        "id": f"place-{order_id}",
        "source": "example/python",
        "type": "order.place",
        "subject": order_id,
        "datacontenttype": "application/json",
    }
    headers = {f"{ATTRIBUTE}{name}": quote(value, safe="/:@.-") for name, value in attributes.items()}
    # Partition 0, whatever the order's id: the reader of a door passes a message on to the partition of its key.
    await js.publish("orders-in.0.order.place", json.dumps(order).encode(), stream="orders-in", headers=headers)
    print(order_id)


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    reading = commands.add_parser("read")
    reading.add_argument("topic")
    reading.add_argument("--count", type=int)
    placing = commands.add_parser("place")
    placing.add_argument("--sku", required=True)
    placing.add_argument("--quantity", type=int, default=1)
    placing.add_argument("--order-id", default=None)
    options = parser.parse_args()

    connection = await nats.connect(os.environ.get("WAYBILL_NATS_URL", "nats://127.0.0.1:4222"))
    try:
        js = connection.jetstream()
        if options.command == "read":
            await read(js, options.topic, options.count)
        else:
            await place(js, options.sku, options.quantity, options.order_id or str(uuid.uuid4()))
    finally:
        await connection.close()


asyncio.run(main())

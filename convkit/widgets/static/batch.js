/** Hand each widget its own message; they have come together in one. */
function initialize({ model }) {
  const deliver = async ({ updates }, buffers) => {
    const found = await Promise.allSettled(updates.map((update) => model.widget_manager.get_model(update.model)));
    let used = 0;
    updates.forEach(({ message }, k) => {
      const own = buffers.slice(used, (used += message.buffer_paths.length));
      if (found[k].status === "rejected") return; // closed meanwhile
      found[k].value._handle_comm_msg({ content: { data: message }, buffers: own });
    });
  };
  let queue = Promise.resolve(); // none overtakes another
  const enqueue = (content, buffers) => (queue = queue.then(() => deliver(content, buffers)));
  model.on("msg:custom", enqueue);
  send(model, { listening: true });
  return () => model.off("msg:custom", enqueue);
}

export default { initialize };

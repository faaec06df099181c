/** Hand each widget its own message; they have come together in one. */
function initialize({ model }) {
  const deliver = async ({ updates }, buffers) => {
    const widgets = await Promise.all(updates.map((update) => model.widget_manager.get_model(update.model)));
    let used = 0;
    updates.forEach(({ message }, k) => {
      const own = buffers.slice(used, (used += message.buffer_paths.length));
      widgets[k]._handle_comm_msg({ content: { data: message }, buffers: own });
    });
  };
  model.on("msg:custom", deliver);
  send(model, { listening: true });
  return () => model.off("msg:custom", deliver);
}

export default { initialize };

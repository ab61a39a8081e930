// A bot of vk-io, and a user who writes to it; prints the conversation as JSON.
const { Agent } = require('node:http');
const { VK } = require('vk-io');

const make = (token, options) => new VK({
    token,
    ...options,
    apiBaseUrl: process.argv[2],
    apiLimit: 1000,
    agent: new Agent({ keepAlive: true }), // its own speaks nothing but HTTPS
});
const group = 9;
const texts = ['one', 'two', 'three'];

async function main() {
    const bot = make('bot', { pollingGroupId: group });
    const user = make('anna');
    const types = [];

    bot.updates.use((context, next) => {
        types.push(context.subTypes[0]);
        return next();
    });
    bot.updates.on('message_new', (context) => context.send(`You wrote: ${context.text}`));
    await bot.updates.startPolling();
    for (const message of texts) {
        await user.api.messages.send({ peer_id: -group, message, random_id: 0 });
    }
    let items = [];
    while (items.length < 2 * texts.length) {
        ({ items } = await user.api.messages.getHistory({ peer_id: -group, rev: 1 }));
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await bot.updates.stop();
    console.log(JSON.stringify({
        answers: items.filter((each) => each.from_id === -group).map((each) => each.text),
        heard: types.filter((type) => type === 'message_new').length,
    }));
    process.exit(0);
}

main();

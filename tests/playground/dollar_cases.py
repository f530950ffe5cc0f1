"""Dollars and other signs that are no formulas."""

CASES = [
    (
        "A 3-for-$10 deal, $1,000–$2,000 a year, ~$5 and -$3.",
        "<p>A 3-for-$10 deal, $1,000–$2,000 a year, ~$5 and -$3.</p>",
    ),
    ("$5 + $10 = $15", "<p>$5 + $10 = $15</p>"),
    ("Budget: $2.5k/month; $30k/year ($360/yr).", "<p>Budget: $2.5k/month; $30k/year ($360/yr).</p>"),
    ("It is $10^6$ and $10 at once.", "<p>It is <m>10^6</m> and $10 at once.</p>"),
    (
        'echo "$VAR" && echo \'$VAR\' | grep -E "^$"',
        '<p>echo "$VAR" &amp;&amp; echo \'$VAR\' | grep -E "^$"</p>',
    ),
    (
        "export JAVA_HOME=$PATH:$HOME/java; cd $OLDPWD",
        "<p>export JAVA_HOME=$PATH:$HOME/java; cd $OLDPWD</p>",
    ),
    ("$var = $other . \"$x\"; $_GET['a']", "<p>$var = $other . \"$x\"; $_GET['a']</p>"),
    ("`$a` costs $5, `$b` costs $6", "<p><code>$a</code> costs $5, <code>$b</code> costs $6</p>"),
    (
        "Write `\\[` and `\\]`, or `$$`.",
        "<p>Write <code>\\[</code> and <code>\\]</code>, or <code>$$</code>.</p>",
    ),
    (
        "Price $5 (was $10), save 50%. Then $p = 5$ holds.",
        "<p>Price $5 (was $10), save 50%. Then <m>p = 5</m> holds.</p>",
    ),
    ("AWS_KEY=$KEY:$SECRET and s3://$BUCKET/$KEY", "<p>AWS_KEY=$KEY:$SECRET and s3://$BUCKET/$KEY</p>"),
    (
        "make CC=$(CC) and $(shell pwd) or $@ and $<",
        "<p>make CC=$(CC) and $(shell pwd) or $@ and $&lt;</p>",
    ),
    ("US$ 5 and A$ 6, 7 $ and 8 $", "<p>US$ 5 and A$ 6, 7 $ and 8 $</p>"),
    ("It costs $5 or $6.", "<p>It costs $5 or $6.</p>"),
    ("Between $5-$10, $5–$10, $1.50/$2.00 and $5M.", "<p>Between $5-$10, $5–$10, $1.50/$2.00 and $5M.</p>"),
    ("**$5** or **$6**; ($7), ($8)", "<p><strong>$5</strong> or <strong>$6</strong>; ($7), ($8)</p>"),
    ("I have $20, not 30$.", "<p>I have $20, not 30$.</p>"),
    ("$100 and 200$ and US$5 and HK$10.", "<p>$100 and 200$ and US$5 and HK$10.</p>"),
    ("It is 5$ here and 6$ there.", "<p>It is 5$ here and 6$ there.</p>"),
    ("\\$5 and \\$6", "<p>$5 and $6</p>"),
    ("A $5 note and the formula $x$ cost $6.", "<p>A $5 note and the formula <m>x</m> cost $6.</p>"),
    (
        "| item | price |\n|---|--:|\n| tea | $3 |\n| cake | $4 |",
        "<table><tr><th>item</th> <th right>price</th></tr>  <tr><td>tea</td> <td right>$3</td></tr"
        "> <tr><td>cake</td> <td right>$4</td></tr></table>",
    ),
    ("- tea: $3\n- cake: $4", "<ul><li>tea: $3</li> <li>cake: $4</li></ul>"),
    ("Set PATH=$HOME/bin:$PATH now.", "<p>Set PATH=$HOME/bin:$PATH now.</p>"),
    (
        'Set $HOME and $USER, ($HOME,$USER), "$A":"$B".',
        '<p>Set $HOME and $USER, ($HOME,$USER), "$A":"$B".</p>',
    ),
    (
        "${HOME}/bin and ${PATH:-none}, $(pwd)/$(date), $1,$2 and $?",
        "<p>${HOME}/bin and ${PATH:-none}, $(pwd)/$(date), $1,$2 and $?</p>",
    ),
    (
        "$HOME/bin:$PATH and $HOME-$? and $HOME/$(date)",
        "<p>$HOME/bin:$PATH and $HOME-$? and $HOME/$(date)</p>",
    ),
    ("PID is $$, so kill -9 $$ it.", "<p>PID is $$, so kill -9 $$ it.</p>"),
    ("$ npm install\n$ npm start", "<p>$ npm install<br>$ npm start</p>"),
    ("Cells $A$1:$B$2 and =SUM($A:$A)*$C$3.", "<p>Cells $A$1:$B$2 and =SUM($A:$A)*$C$3.</p>"),
    ("PHP has $this->name and $x=$y;", "<p>PHP has $this-&gt;name and $x=$y;</p>"),
    ("Stocks: $AAPL, $TSLA ($MSFT) $AAPL/$TSLA", "<p>Stocks: $AAPL, $TSLA ($MSFT) $AAPL/$TSLA</p>"),
    ("Regex ^foo$ or bar$.", "<p>Regex ^foo$ or bar$.</p>"),
    ("https://x.test/?a=$b&c=$d", "<p><a https://x.test/?a=$b&c=$d>https://x.test/?a=$b&amp;c=$d</a></p>"),
    (
        "Save $50 on $100, or 50$ on 100$, where $x=50$.",
        "<p>Save $50 on $100, or 50$ on 100$, where <m>x=50</m>.</p>",
    ),
]

(* The theorems of the library, each with its file and below the claim that it belongs to. Coq prints once what all of them
   together assume: as a term is closed if and only if all that it is made of is, so is each of them. *)
From sacrepro Require bellman model light_cone lemma3 relay actions_one_hop_later truncation td_fixed_point unwritten
  lemma4 lemma1 softmax lemma4_gaps lemma4_vector critic_sharp influence reward_radius influence_own supremum
  definition2 appendix_a influence_td rational faithful counterexamples.

Definition theorems :=
  (* no claim *)
  let _ := (@bellman.solveE, @bellman.solve_unique, @bellman.occupancyE, @bellman.occupancy_unique,
    @bellman.occupancy_law) in
  let _ := (@model.QE, @model.Q_unique, @model.Q_series, @model.pi_thetaE, @model.pi_theta_unique,
    @model.pi_theta_law) in
  (* claim: light_cone *)
  let _ := (@light_cone.light_cone_sees, @light_cone.light_cone_sees_V, @light_cone.light_cone) in
  (* claim: lemma3 *)
  let _ := (@lemma3.lemma3, @lemma3.lemma3_D) in
  let _ := (@relay.relay_local, @relay.idle, @relay.relay_tight) in
  (* claim: actions_one_hop_later *)
  let _ := (@actions_one_hop_later.actions_one_hop_later) in
  (* claim: truncation *)
  let _ := (@truncation.uniform_weights, @truncation.truncation_gap, @truncation.truncation_D,
    @truncation.truncation) in
  (* claim: td_fixed_point *)
  let _ := (@td_fixed_point.q_starE, @td_fixed_point.q_star_unique, @td_fixed_point.td_fixed_point_a,
    @td_fixed_point.td_fixed_point_b, @td_fixed_point.td_fixed_point_gap, @td_fixed_point.td_fixed_point_paper,
    @td_fixed_point.td_fixed_point_c_band, @td_fixed_point.td_fixed_point_c, @td_fixed_point.td_fixed_point_c_run) in
  (* claim: critic *)
  let _ := (@unwritten.unwritten_ge, @unwritten.unwritten_tight) in
  (* claim: lemma4 *)
  let _ := (@lemma4.error_norm, @lemma4.error_direction, @lemma4.tables_direction, @lemma4.tables_norm,
    @lemma4.lemma4_direction, @lemma4.lemma4, @lemma4.lemma4_worst_case, @lemma4.lemma4_own_hypothesis) in
  (* claim: lemma1 *)
  let _ := (@lemma1.lemma1, @lemma1.log_derivative_mean, @lemma1.lemma1_gradient) in
  (* no claim *)
  let _ := (@softmax.softmax_covariance, @softmax.softmax_norm) in
  (* claim: lemma4 *)
  let _ := (@lemma4_gaps.lemma4_gaps) in
  (* claim: lemma4_vector *)
  let _ := (@lemma4_vector.vector_direction, @lemma4_vector.vector_norm, @lemma4_vector.lemma4_vector,
    @lemma4_vector.lemma4_vector_worst_case, @lemma4_vector.lemma4_vector_paper, @lemma4_vector.lemma4_vector_td,
    @lemma4_vector.lemma4_vector_L) in
  (* claim: critic_sharp *)
  let _ := (@critic_sharp.critic_sharp, @critic_sharp.critic_sharp_decay, @critic_sharp.critic_sharp_gap,
    @critic_sharp.critic_sharp_paper, @critic_sharp.critic_sharp_local) in
  (* claim: influence *)
  let _ := (@influence.influence, @influence.influence_everywhere, @influence.influence_closed_form,
    @influence.influence_row_sums, @influence.average_reward, @influence.average_reward_row_sums,
    @influence.average_reward_sums) in
  (* claim: reward_radius *)
  let _ := (@reward_radius.reward_radius, @reward_radius.reward_radius_b, @reward_radius.reward_radius_d) in
  (* claim: influence *)
  let _ := (@influence_own.influence_own) in
  (* claim: definition2 *)
  let _ := (@supremum.supremum_box, @supremum.supremum_start, @supremum.supremum_start_low, @supremum.supremum_sweep,
    @supremum.supremum_sweep_low, @supremum.supremum, @supremum.supremum_everything, @supremum.supremum_halves,
    @supremum.search_above, @supremum.search_below, @supremum.search_width) in
  let _ := (@definition2.definition2_lemma3, @definition2.definition2_influence, @definition2.definition2_supremum) in
  (* claim: appendix_a *)
  let _ := (@appendix_a.appendix_a, @appendix_a.appendix_a_measured, @appendix_a.appendix_a_two_starts,
    @appendix_a.appendix_a_limit) in
  (* claim: td_fixed_point *)
  let _ := (@influence_td.influence_td, @influence_td.influence_td_closed_form, @influence_td.influence_td_everywhere,
    @influence_td.influence_td_own, @influence_td.influence_td_above, @influence_td.influence_td_own_above) in
  (* no claim *)
  let _ := (@rational.Q_of, @rational.D_of, @rational.q_star_of, @rational.stationary_of) in
  let _ := (@faithful.drawn_1_consistent, @faithful.drawn_2_consistent) in
  (* claim: td_fixed_point *)
  let _ := (@counterexamples.td_numbers, @counterexamples.td_is_outside, @counterexamples.td_outside_hull,
    @counterexamples.td_stationary) in
  (* claim: lemma3 *)
  let _ := (@counterexamples.kappa_plus_2_numbers, @counterexamples.kappa_plus_2, @counterexamples.one_sided,
    @counterexamples.rewards_below_0) in
  (* claim: truncation *)
  let _ := (@counterexamples.weights_numbers, @counterexamples.weights_of_total) in
  (* claim: definition2 *)
  let _ := (@counterexamples.coin_numbers, @counterexamples.coin_beats_deterministic) in
  tt.

Print Assumptions theorems.
